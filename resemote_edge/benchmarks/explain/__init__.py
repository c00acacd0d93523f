"""Explanations: where an artifact's time goes, compared with what the machine can do."""
