"""Workflows: jobs that need both exporting and measuring."""
