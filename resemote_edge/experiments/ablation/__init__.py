"""Ablations: a training recipe and variations of it, compared over several seeds."""
