"""From a wish to coordinates on the local model: what is possible, what it costs, and why not more."""
