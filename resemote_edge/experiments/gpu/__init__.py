"""Speed of each graph and precision on a GPU, and the best that the GPU could do."""
