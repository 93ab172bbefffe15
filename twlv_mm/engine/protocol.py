"""The protocol of a test: the settings needed to interpret its scores, read from the model, data and metrics.

Our own parts list theirs as ``choices``; mmaction2's have none and are known by name here.
"""

from pathlib import Path

from .wrappers import dataset_parts

NOTES = ('recipe',)  # stated settings of the training, which a test cannot verify
CROPS = dict(CenterCrop=1, ThreeCrop=3, TenCrop=10)
SAMPLERS = ('SampleFrames', 'UniformSampleFrames', 'DenseSampleFrames', 'UniformSample', 'SampleAVAFrames')


class ProtocolError(ValueError):
    """A config states something about its test that is not true."""


def protocol_of(runner, model):
    """The protocol of a test: clips, crops, frames, classes, ... as far as the built parts decide them.

    Args:
        runner (Runner): With its test loop built.
        model (nn.Module): The unwrapped model.
    """
    found = {}
    dataset = runner.test_dataloader.dataset
    parts = dataset_parts(dataset)
    for part in parts:
        if isinstance(path := getattr(part, 'ann_file', None), str) and path:
            found['list'] = Path(path).name
        if getattr(part, '_indices', None) is not None:  # of mmengine's BaseDataset: only these of its samples
            found['samples'] = len(part)
        for step in steps_of(part):
            found |= _choices_of_step(step)
    head = getattr(model, 'cls_head', None)
    if getattr(head, 'num_classes', None) is not None:
        found['classes'] = head.num_classes
    if getattr(head, 'average_clips', None) is not None:
        found['average_clips'] = head.average_clips
    if head is None and not hasattr(model, 'choices'):
        found['head'] = type(model).__name__
    fold = getattr(dataset, 'fold', ((runner.cfg.get('test_dataloader') or {}).get('dataset') or {}).get('fold'))
    if fold is not None and runner.cfg.get('folds') not in (None, [fold]):
        found['fold'] = fold  # so that reports do not mistake it for the mean over folds
    for part in (model, head, *parts, *runner.test_evaluator.metrics):
        found |= getattr(part, 'choices', {})
    if 'annotations' in found:
        found.pop('list', None)
    return found


def check_stated(stated, found):
    """Compare the protocol that a config states with the one from :func:`protocol_of`.

    Raises:
        ProtocolError: if they differ, or the config states something that no part decides.
    """
    for name, value in stated.items():
        if name in found and _plain(found[name]) != _plain(value):
            raise ProtocolError(
                f'ResultsHook.protocol states {name}={value!r}, but the run uses {name}={found[name]!r}. Remove it; '
                'the actual value is recorded automatically'
            )
        if name not in found and name not in NOTES:
            raise ProtocolError(
                f'ResultsHook.protocol states {name}={value!r}, which cannot be verified: remove it; put remarks in '
                "the hook's label or the name of the dataset"
            )


def steps_of(dataset):
    """The transforms of a dataset's pipeline, including nested ones, in order."""
    steps, todo = [], list(getattr(getattr(dataset, 'pipeline', None), 'transforms', ()))
    while todo:
        step = todo.pop(0)
        inner = getattr(step, 'transforms', None)
        todo[:0] = getattr(inner, 'transforms', inner) or []
        steps.append(step)
    return steps


def _choices_of_step(step):
    name = type(step).__name__
    if hasattr(step, 'choices'):
        return step.choices
    if name in SAMPLERS:
        interval = getattr(step, 'frame_interval', None)
        return dict(
            frames=step.clip_len,
            clips=getattr(step, 'num_clips', 1),
            **({} if interval is None else dict(frame_interval=interval)),
        )
    if name in CROPS:
        return dict(crops=CROPS[name], resolution=_side(step.crop_size))
    if name == 'Resize':
        if isinstance(step.scale, float):
            return {}
        if not step.keep_ratio:
            return dict(crops=1, resolution=_side(step.scale))
        return dict(short_side=min(side for side in step.scale if side > 0))
    return {}


def _side(size):
    sides = list(size) if isinstance(size, list | tuple) else [size, size]
    return sides[0] if sides[0] == sides[1] else sides


def _plain(value):
    return list(value) if isinstance(value, list | tuple) else value
