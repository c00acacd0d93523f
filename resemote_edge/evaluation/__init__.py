"""Evaluation: how often an artifact is right, and what changed from another artifact, image by image."""
