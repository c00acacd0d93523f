"""Check of the C library: its cost, its savings, and whether its results equal Python's."""
