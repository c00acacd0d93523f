"""Datasets that are recognised, a module each; the table is `resemote_edge.data.registry`."""
