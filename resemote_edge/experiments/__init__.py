"""Our own proofs: run from a checkout with ``python -m resemote_edge.experiments``, never part of a wheel."""
