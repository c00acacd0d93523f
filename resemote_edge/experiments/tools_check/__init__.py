"""Experiment: `resemote bench` measures what `resemote-edge bench` measures."""
