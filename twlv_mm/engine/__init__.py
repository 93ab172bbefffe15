"""Running a config: the command line (launch.py), the runner, cross-validation (folds.py) and hooks for any task.

encoder_check.py compares a config with its encoder, results_hook.py writes results.json. A run that is killed and
resumed ends as if it had not been interrupted.
"""

from .autocast import AutocastHook, AutocastOptimWrapper
from .embedding_check import CheckEmbeddedVideosHook
from .encoder_check import EncoderCheckHook, check_encoder
from .epoch_seed_hook import EpochSeedHook
from .finite_hook import FiniteGradientHook
from .folds import FoldError
from .plateau_hook import ReduceLROnPlateauHook
from .results_hook import ResultsHook
from .runner import CheckpointError, Runner
from .speed_hooks import ClipRateHook, CompileBlocksHook
from .step_loop import StepLoggerHook, StepTrainLoop

__all__ = [
    'AutocastHook',
    'AutocastOptimWrapper',
    'CheckEmbeddedVideosHook',
    'CheckpointError',
    'ClipRateHook',
    'CompileBlocksHook',
    'EncoderCheckHook',
    'EpochSeedHook',
    'FiniteGradientHook',
    'FoldError',
    'ReduceLROnPlateauHook',
    'ResultsHook',
    'Runner',
    'StepLoggerHook',
    'StepTrainLoop',
    'check_encoder',
]
