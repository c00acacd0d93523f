"""The machine: its hardware, the cores and clocks we may use, and what else runs while we measure."""
