"""What one has to know of a test to compare its numbers, asked of what was built for it: model, data, metrics.

Each part says what it decides as ``choices``; here is what those of mmaction2 decide, which have none.
"""

from pathlib import Path

from .dataset_parts import dataset_parts

NOTES = ('recipe',)  # of the training's settings; nothing that is tested tells them
CROPS = dict(CenterCrop=1, ThreeCrop=3, TenCrop=10)
SAMPLERS = ('SampleFrames', 'UniformSampleFrames', 'DenseSampleFrames', 'UniformSample', 'SampleAVAFrames')


class ProtocolError(ValueError):
    """A config states of its test what is not so."""


def protocol_of(runner, model):
    """The protocol of a test.

    Args:
        runner (Runner): With its test loop built.
        model (nn.Module): What is tested, unwrapped.

    Returns:
        dict: clips, crops, frames, classes, ... as far as they are decided.
    """
    found = {}
    dataset = runner.test_dataloader.dataset
    parts = dataset_parts(dataset)
    for part in parts:
        if isinstance(path := getattr(part, 'ann_file', None), str) and path:
            found['list'] = Path(path).name
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
        found['fold'] = fold  # so that reports do not take it for the mean of all
    for part in (model, head, *parts, *runner.test_evaluator.metrics):
        found |= getattr(part, 'choices', {})
    if 'annotations' in found:
        found.pop('list', None)
    return found


def check_stated(stated, found):
    """Compare what a config states of its protocol with what runs.

    Args:
        stated (dict): Of the config.
        found (dict): Of :func:`protocol_of`.

    Raises:
        ProtocolError: if they differ, or something is stated that nothing decides.
    """
    for name, value in stated.items():
        if name in found and _plain(found[name]) != _plain(value):
            raise ProtocolError(
                f'the ResultsHook says protocol {name}={value!r}, and what runs has {name}={found[name]!r}: take it '
                'out of the hook, results.json has what runs'
            )
        if name not in found and name not in NOTES:
            raise ProtocolError(
                f'the ResultsHook says protocol {name}={value!r}, which nothing that runs tells: take it out; what is '
                'to be known beside the protocol goes into the hook as label, or into the name of the data set'
            )


def steps_of(dataset):
    """The transforms of a data set's pipeline, and those within them.

    Args:
        dataset (Dataset): Perhaps with a pipeline.

    Returns:
        list: in their order.
    """
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
