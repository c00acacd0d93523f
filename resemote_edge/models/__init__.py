"""The network in PyTorch, its checkpoints, and the eval graph that exporters read."""
