"""The live comparison: two artifacts on this machine, in turn, and what came of it."""
