"""All tasks on one encoder, and studies that need several tasks.

evaluation.py runs the tasks of tasks.py and own_sets.py on an encoder (encoder.py). ablation.py compares pretraining
targets by what frozen_probes.py reads from the encoders; trimmed_checks.py measures whether the generated trimmed set
measures what it says.
"""

from .ablation import Ablation
from .encoder import Encoder, find_encoder
from .evaluation import FINISHED, NO_DATA, BusyError, Evaluation
from .own_sets import own_tasks
from .tasks import generated_tasks, generated_views, paper_tasks, paper_views

__all__ = [
    'FINISHED',
    'NO_DATA',
    'Ablation',
    'BusyError',
    'Encoder',
    'Evaluation',
    'find_encoder',
    'generated_tasks',
    'generated_views',
    'own_tasks',
    'paper_tasks',
    'paper_views',
]
