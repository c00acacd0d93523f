"""The quantize stage: an fp32 eval graph to one whose weights, or weights and activations, are held in eight bits."""
