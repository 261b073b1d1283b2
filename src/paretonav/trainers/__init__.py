"""What the libraries by which models are trained know of a model, as a problem: nothing of it is asked for again."""

from paretonav.trainers.accelerate import from_accelerate
from paretonav.trainers.hugging_face import from_trainer
from paretonav.trainers.lightning import from_lightning

__all__ = ["from_accelerate", "from_lightning", "from_trainer"]
