"""What the names and the values of somebody else's columns tell: guesses for a first mapping."""
