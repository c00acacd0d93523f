"""A run: its state, its files, its end, and the processes and hardware it runs on."""
