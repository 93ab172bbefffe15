"""Running: from the command line to a run (launch.py, runner.py), its precision (autocast.py) and its results.
encoder_check.py refuses a config that contradicts its encoder.

Long runs: step_loop.py enters a run at any step, fully_shard.py divides a model among processes, finite_hook.py stops
before a gradient that is not finite, clip_rate_hook.py logs the speed, and compile_hook.py compiles blocks.

Whenever a run is killed, it resumes and ends as if it had not been.
"""

from .autocast import AutocastHook, AutocastOptimWrapper
from .clip_rate_hook import ClipRateHook
from .compile_hook import CompileBlocksHook
from .dataset_parts import dataset_parts
from .embedding_check import CheckEmbeddedVideosHook
from .encoder_check import EncoderCheckHook, check_encoder
from .epoch_seed_hook import EpochSeedHook
from .finite_hook import FiniteGradientHook, NotFiniteError
from .folds import FoldError, run_folds
from .log_folder import log_folder
from .plateau_hook import ReduceLROnPlateauHook
from .results_hook import ResultsHook
from .runner import CheckpointError, Runner
from .step_loop import StepLoggerHook, StepTrainLoop
from .unreadable_samples import Replacing, UnreadableError, list_unreadable

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
    'NotFiniteError',
    'ReduceLROnPlateauHook',
    'Replacing',
    'ResultsHook',
    'Runner',
    'StepLoggerHook',
    'StepTrainLoop',
    'UnreadableError',
    'check_encoder',
    'dataset_parts',
    'list_unreadable',
    'log_folder',
    'run_folds',
]
