"""Workflows: what needs exporting and measuring both."""
