"""The quantize stage: turns an fp32 eval graph into one with weights, or weights and activations, in eight bits."""
