"""Suites: which rows are measured, in what order, what is kept of each, and how the rest goes on."""
