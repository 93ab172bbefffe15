"""Evaluating an encoder on all tasks, and studies that need several tasks.

evaluation.py runs the tasks of tasks.py and own_datasets.py on an encoder (encoder.py), each in a process of its own
(steps.py), and records their status (status_file.py). ablation.py compares pretraining targets by frozen probes
(frozen_probes.py); trimmed_checks.py checks that the generated trimmed set has no shortcuts.
"""

from .ablation import Ablation
from .encoder import find_encoder
from .evaluation import BusyError, Evaluation
from .own_datasets import own_tasks
from .status_file import FINISHED, NO_DATA
from .steps import StepError, run_step
from .tasks import Task, generated_tasks, generated_views, paper_tasks, paper_views
from .trimmed_checks import LIMITS, baselines, check, opposite_accuracy, probe_of_frames, read_clips

__all__ = [
    'FINISHED',
    'LIMITS',
    'NO_DATA',
    'Ablation',
    'BusyError',
    'Evaluation',
    'StepError',
    'Task',
    'baselines',
    'check',
    'find_encoder',
    'generated_tasks',
    'generated_views',
    'opposite_accuracy',
    'own_tasks',
    'paper_tasks',
    'paper_views',
    'probe_of_frames',
    'read_clips',
    'run_step',
]
