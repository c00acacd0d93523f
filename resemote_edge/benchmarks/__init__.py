"""Benchmarks: accuracy and speed of artifacts, in the same row, for the same file."""
