"""A step by every method side by side, from the same trained start, on real data."""
