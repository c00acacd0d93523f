"""Privacy: blurred faces, counts in place of faces, a notice, and files that do not stay."""
