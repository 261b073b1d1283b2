"""From a wish to tangent coordinates: what is possible, what it costs, and why not more."""
