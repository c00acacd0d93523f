"""Networks as they are trained, and their initial weights."""
