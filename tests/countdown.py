"""A cancelling that comes at a chosen moment."""

import threading


class Countdown(threading.Event):
    """Says that it is set from the k-th time on that it is asked for; ``asked`` counts the checkpoints."""

    def __init__(self, k: float = float("inf")) -> None:
        super().__init__()
        self.k, self.asked = k, 0

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked >= self.k
