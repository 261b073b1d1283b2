"""From a plan to a new point: predict, correct, test what came true, leg by leg."""
