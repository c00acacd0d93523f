"""Networks as they are trained, and where their weights begin."""
