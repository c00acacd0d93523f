"""Images of a run: shuffled, varied, normalised; and those that are held out."""
