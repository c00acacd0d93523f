"""Training: the loop, augmentation, distillation, several processes; all of it needs torch."""
