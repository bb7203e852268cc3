"""Decisions become figures, figures become pages and documents. Pure: takes frames, gives text and plain values."""
