"""Comparisons for people: two reports row by row, and the result of a live comparison."""
