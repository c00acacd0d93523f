"""Comparisons for people: two reports row by row, and what a live comparison found."""
