"""Measuring: how something is measured on this machine, in processes of its own. It exports and reports nothing."""
