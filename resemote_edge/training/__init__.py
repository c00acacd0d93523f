"""Training: the loop, augmentation, distillation, more than one process; torch throughout."""
