"""Explanations: where an artifact's time goes, against what the machine can do."""
