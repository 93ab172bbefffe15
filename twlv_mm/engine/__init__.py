"""Running: from the command line to a run (launch.py, runner.py), its precision (autocast.py) and its results.

What a run has trained is used on other videos by the inferencers of the tasks (inference.py is what they share).

Whenever a run is killed, it resumes and ends as if it had not been.
"""

from .autocast import AutocastHook, AutocastOptimWrapper
from .epoch_seed_hook import EpochSeedHook
from .inference import InferenceSummary, infer_videos, load_model, made_with, read_strip, reading
from .log_folder import log_folder
from .results_hook import ResultsHook
from .runner import CheckpointError, Runner

__all__ = [
    'AutocastHook',
    'AutocastOptimWrapper',
    'CheckpointError',
    'EpochSeedHook',
    'InferenceSummary',
    'ResultsHook',
    'Runner',
    'infer_videos',
    'load_model',
    'log_folder',
    'made_with',
    'read_strip',
    'reading',
]
