"""The live page: frames and decisions in a browser while they happen, and the same for other programs over HTTP."""
