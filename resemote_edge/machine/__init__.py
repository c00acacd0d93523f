"""The machine: what it is, which cores and clocks it gives us, and what else goes on while we measure."""
