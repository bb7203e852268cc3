"""The public request shapes, as pydantic models, and the documented fields read off them."""
