"""The small encoder of the generated clips, trained with labels or pretrained without."""

import shutil
from pathlib import Path

import torch
from mmengine.config import Config

from twlv_mm.encoders import encoder_state, read_checkpoint
from twlv_mm.engine import launch

CONFIGS = Path(__file__).resolve().parents[1] / '.mim/configs/synthetic'
# What a file in the folder of encoders is trained by: those with labels, and by pretraining.
SUPERVISED = {'encoder': 'both_finetune', 'single_frame': 'appearance_single_frame'}
PRETRAINED = ('pixels', 'latent', 'teacher', 'video_teacher', 'mixture')


def train_small(name, out, data, seed=0, options=()):
    """Train the small encoder, and leave its weights at ``<out>/<name>.pth``.

    Teachers that a pretraining takes from ``<out>`` are trained first where they are missing. A pretraining that was
    stopped goes on.

    Args:
        name (str): 'encoder' (on appearance and motion), 'single_frame' (on appearance, from single frames), or one of
            :data:`PRETRAINED`.
        out (str): Folder of the weights; the run has ``<out>/<name>``.
        data (str): The trimmed set.
        seed (int): Of the training.
        options (Sequence[str]): Arguments of tools/train.py.

    Returns:
        Path: the weights.
    """
    out = Path(out)
    arguments = ['--work-dir', str(out / name), '--seed', str(seed), *options]
    if name in SUPERVISED:
        settings = [f'train_dataloader.dataset.data_root={data}']
        config = CONFIGS / f'{SUPERVISED[name]}.py'
    else:
        config = pretraining_config(name)
        settings = [
            f'train_dataloader.dataset.sets.trimmed.dataset.data_root={data}',
            *train_teachers(config, out, data),
        ]
        arguments.append('--resume')
    launch.main_train([str(config), *arguments, '--cfg-options', f'experiment_name=small_{name}', *settings])
    state = encoder_state(read_checkpoint((out / name / 'last_checkpoint').read_text()))
    path = out / f'{name}.pth'
    torch.save(state, f'{path}.partial')
    shutil.move(f'{path}.partial', path)
    return path


def pretraining_config(name):
    """Path of a pretraining config: one of :data:`PRETRAINED`."""
    return CONFIGS / f'pretrain_{name}.py'


def train_teachers(config, out, data):
    """Train those teachers of a pretraining config that are missing.

    Args:
        config (Path): The config. Its teachers' weights are called ``<name>.pth``, with a name of :data:`SUPERVISED`.
        out (str): Folder where they are, or come to be.
        data (str): The trimmed set.

    Returns:
        list[str]: for ``--cfg-options``: where the teachers are.
    """
    settings = []
    for teacher, its in (Config.fromfile(config).model.get('teachers') or {}).items():
        path = Path(out) / Path(its.weights).name
        if not path.exists():
            print(f'Its teacher {path} is missing and is trained first.', flush=True)
            train_small(path.stem, out, data)
        settings.append(f'model.teachers.{teacher}.weights={path}')
    return settings
