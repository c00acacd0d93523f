"""Speed of each graph and precision on a GPU, compared with the best that the GPU can do."""
