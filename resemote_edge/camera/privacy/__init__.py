"""Privacy: blurred faces, counts in place of results, a notice on pictures, and files that are deleted in time."""
