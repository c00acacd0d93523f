"""Export of face detectors: from the file of their weights, in a Python package or on disk, to an artifact."""
