"""A run: its state, files, processes and hardware, and what happens when it is interrupted."""
