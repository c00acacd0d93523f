"""Artifacts: the exported model, the passport beside it, and what both promise."""
