"""The benchmarks themselves: what they print, and that each figure can exceed its limit."""
