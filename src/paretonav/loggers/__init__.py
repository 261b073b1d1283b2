"""What a navigation comes to, step by step, where experiments are kept: ``Navigator(..., callbacks=[a_logger])``."""

from paretonav.loggers.mlflow import MLflow
from paretonav.loggers.tensorboard import TensorBoard
from paretonav.loggers.wandb import WandB

__all__ = ["MLflow", "TensorBoard", "WandB"]
