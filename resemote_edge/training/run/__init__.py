"""A run: where it is, what it writes, how it ends, on which processes and hardware."""
