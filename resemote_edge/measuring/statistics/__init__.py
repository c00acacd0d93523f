"""Statistics of times: intervals of percentiles and of ratios, and what they say about which of two is faster."""
