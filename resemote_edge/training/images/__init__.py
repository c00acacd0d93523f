"""Images of a run: those trained on are shuffled, varied and normalised; others are held out."""
