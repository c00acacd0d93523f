"""Training: the loop, augmentation, distillation, several processes. All of it needs torch."""
