"""``python -m resemote_edge``."""

from resemote_edge.cli import main

main()
