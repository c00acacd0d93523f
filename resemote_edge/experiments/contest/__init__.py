"""Contests: ours and other people's tools, measured in turn."""
