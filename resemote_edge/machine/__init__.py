"""The machine: its hardware, the cores and clocks it gives us, and what else runs while we measure."""
