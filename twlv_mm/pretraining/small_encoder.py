"""Trains or pretrains the small encoder on the generated clips."""

from pathlib import Path

from mmengine.config import Config

from twlv_mm.encoders import encoder_state, read_checkpoint, sets_of
from twlv_mm.engine import launch
from twlv_mm.records import write_tensors

CONFIGS = Path(__file__).resolve().parents[1] / '.mim/configs/synthetic'
# Name of the weights -> config, for training with labels.
SUPERVISED = {'encoder': 'both_finetune', 'motion': 'motion_finetune', 'single_frame': 'appearance_single_frame'}
# By masked pretraining, with configs of these names.
PRETRAINED = ('pixels', 'latent', 'teacher', 'motion_teacher', 'video_teacher', 'mixture')


def train_small(name, out, data, seed=0, options=()):
    """Train the small encoder, and save its weights as ``<out>/<name>.pth``; the run is in ``<out>/<name>``.

    ``name`` is 'encoder' (on appearance and motion), 'motion' (on motion), 'single_frame' (on appearance, from single
    frames), or one of :data:`PRETRAINED`; ``data`` is the trimmed set; ``options`` are arguments of tools/train.py.
    """
    work_dir, path = Path(out) / name, Path(out) / f'{name}.pth'
    if name in PRETRAINED:
        checkpoint = pretrain(name, work_dir, data, out, seed, options)
    else:
        settings = [f'train_dataloader.dataset.data_root={data}']
        checkpoint = _train(SUPERVISED[name], work_dir, seed, settings, options)
    content = read_checkpoint(checkpoint)
    meta = dict(pretraining_sets=list(sets_of(content, checkpoint) or ['synthetic']))
    write_tensors(path, dict(meta=meta, state_dict=encoder_state(content)))
    return path


def pretrain(name, work_dir, data, small, seed=0, options=()):
    """Pretrain the small encoder, or resume a run that was stopped, and return the last checkpoint.

    Arguments are those of :func:`train_small`; ``small`` is the folder of the teachers' weights, and missing teachers
    are trained first.
    """
    settings = [f'train_dataloader.dataset.sets.synthetic_trimmed.dataset.data_root={data}']
    config = Config.fromfile(CONFIGS / f'pretrain_{name}.py')
    for teacher, its in (config.model.get('teachers') or {}).items():
        path = Path(small) / Path(its.weights).name
        if not path.exists():
            print(f'The teacher {path} is missing and is trained first.', flush=True)
            train_small(path.stem, small, data)
        settings.append(f'model.teachers.{teacher}.weights={path}')
    return _train(f'pretrain_{name}', work_dir, seed, settings, [*options, '--resume'])


def _train(config, work_dir, seed, settings, options):
    # Runs in one process need different names.
    settings = [*settings, f'experiment_name={Path(work_dir).as_posix().replace("/", "_")}']
    arguments = ['--work-dir', str(work_dir), '--seed', str(seed), *options, '--cfg-options', *settings]
    launch.main_train([str(CONFIGS / f'{config}.py'), *arguments])
    return (Path(work_dir) / 'last_checkpoint').read_text()
