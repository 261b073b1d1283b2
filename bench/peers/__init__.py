"""Other ways to a trade-off, as rules that weigh the gradients: what the benchmarks set beside a step."""
