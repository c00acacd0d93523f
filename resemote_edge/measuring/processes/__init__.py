"""Processes that measure: the parent's side, the child's side, and the messages they exchange."""
