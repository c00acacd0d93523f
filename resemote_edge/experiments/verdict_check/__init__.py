"""Check of verdicts: how often a live comparison is right if the answer is known."""
