"""Experiments that prove what the documents say; run from a checkout, and not part of the wheel."""
