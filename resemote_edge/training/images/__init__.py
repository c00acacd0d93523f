"""Images of a run: training images in random batches, and images that are held out."""
