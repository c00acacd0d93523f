"""The live comparison: two artifacts on this machine, measured in turn, and the result."""
