"""Teachers, and their answers."""
