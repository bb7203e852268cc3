"""The public request bodies as pydantic models, and their documented fields as one table."""
