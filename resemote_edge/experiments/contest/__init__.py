"""Contests: our artifacts and the tools of others, measured in turn."""
