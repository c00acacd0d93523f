"""Processes that measure: the parent's end and the child's, and the words they exchange."""
