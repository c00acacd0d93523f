"""Measures artifacts on this machine, each in a process of its own. Nothing here exports or writes reports."""
