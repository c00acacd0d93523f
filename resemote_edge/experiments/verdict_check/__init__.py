"""The verdict's check: how often a live comparison is right where the answer is known."""
