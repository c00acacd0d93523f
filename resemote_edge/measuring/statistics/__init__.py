"""Statistics of times: intervals of percentiles and ratios, and the verdict on which of two is faster."""
