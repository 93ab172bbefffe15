"""Running: from the command line to a run (launch.py, runner.py), its precision (autocast.py) and its results.
encoder_check.py refuses a config that contradicts its encoder.

What a run has trained is used on other videos by the inferencers of the tasks (inference.py is what they share).
drawing_hook.py is what the hooks share that draw what a test finds, video_drawing_hook.py those that draw whole videos,
video_strips.py reads frames for them.

Long runs: step_loop.py enters a run at any step, fully_shard.py divides a model among processes, finite_hook.py stops
before a gradient that is not finite, clip_rate_hook.py logs the speed, and compile_hook.py compiles blocks.

Whenever a run is killed, it resumes and ends as if it had not been.
"""

from .autocast import AutocastHook, AutocastOptimWrapper
from .clip_rate_hook import ClipRateHook
from .compile_hook import CompileBlocksHook
from .drawing_hook import DrawingHook
from .encoder_check import EncoderCheckHook, check_encoder
from .epoch_seed_hook import EpochSeedHook
from .finite_hook import FiniteGradientHook, NotFiniteError
from .folds import FoldError, run_folds
from .inference import (
    SEGMENT_COLUMNS,
    InferenceSummary,
    infer_videos,
    load_model,
    made_with,
    read_strip,
    reading,
    segment_rows,
)
from .log_folder import log_folder
from .plateau_hook import ReduceLROnPlateauHook
from .results_hook import ResultsHook
from .runner import CheckpointError, Runner
from .score_tables import as_text, write_class_precision, write_csv
from .step_benchmark import benchmark_steps
from .step_loop import StepLoggerHook, StepTrainLoop
from .video_drawing_hook import VideoDrawingHook
from .video_strips import VideoStrips

__all__ = [
    'SEGMENT_COLUMNS',
    'AutocastHook',
    'AutocastOptimWrapper',
    'CheckpointError',
    'ClipRateHook',
    'CompileBlocksHook',
    'DrawingHook',
    'EncoderCheckHook',
    'EpochSeedHook',
    'FiniteGradientHook',
    'FoldError',
    'InferenceSummary',
    'NotFiniteError',
    'ReduceLROnPlateauHook',
    'ResultsHook',
    'Runner',
    'StepLoggerHook',
    'StepTrainLoop',
    'VideoDrawingHook',
    'VideoStrips',
    'as_text',
    'benchmark_steps',
    'check_encoder',
    'infer_videos',
    'load_model',
    'log_folder',
    'made_with',
    'read_strip',
    'reading',
    'run_folds',
    'segment_rows',
    'write_class_precision',
    'write_csv',
]
