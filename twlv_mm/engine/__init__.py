"""Running: from the command line to a run (launch.py, runner.py), its precision (autocast.py) and its results.

Whenever a run is killed, it resumes and ends as if it had not been.
"""

from .autocast import AutocastHook, AutocastOptimWrapper
from .epoch_seed_hook import EpochSeedHook
from .results_hook import ResultsHook
from .runner import CheckpointError, Runner

__all__ = [
    'AutocastHook',
    'AutocastOptimWrapper',
    'CheckpointError',
    'EpochSeedHook',
    'ResultsHook',
    'Runner',
]
