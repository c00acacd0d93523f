"""The native library's check: its cost, its savings, and whether its results are Python's."""
