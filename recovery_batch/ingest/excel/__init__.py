"""Workbooks of Excel: their XML to cells, and cells to texts."""
