"""Suites: which rows are measured, in what order, what is kept of each, and how an interrupted run continues."""
