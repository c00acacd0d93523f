"""Detectors: one module each, and a row in the table."""
