"""Datasets that are recognised, each in a module; the table is `resemote_edge.data.registry`."""
