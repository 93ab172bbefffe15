"""Pipelines that follow the encoder: how many frames, of what size, resized how."""

# Transforms that choose frames -> the argument that says how many.
FRAMES = {
    'SampleClips': 'num_frames',
    'SampleFrames': 'clip_len',
    'SampleAVAFrames': 'clip_len',
    'UniformSample': 'clip_len',
    'SampleKeyframeClip': 'clip_len',
    'SegmentSample': 'num_frames',
    'EmbeddingSample': 'num_frames',
    'StillVideo': 'num_frames',
}
# Those that have one stand for it where it is left out.
DEFAULT_FRAMES = 16
# Transforms that take every n-th frame -> the n where it is left out.
DEFAULT_INTERVALS = {'SampleClips': 1, 'SampleFrames': 1, 'SampleAVAFrames': 2}
# Transforms that change the size of pictures -> the argument that says to which.
SIZES = {
    'Resize': 'scale',
    'RandomRescale': 'scale_range',
    'CenterCrop': 'crop_size',
    'RandomCrop': 'size',
    'ThreeCrop': 'crop_size',
    'LongSideCrops': 'size',
    'ResizeCrop': 'size',
}
RESIZING = ('Resize', 'RandomRescale', 'ResizeCrop')


def follow_in_pipelines(node, following, path=''):
    """Let every pipeline of a config, and the protocols of its hooks, follow the encoder.

    Frames: as many as the encoder takes, over the same time. Where a transform takes every n-th frame, 16 frames with
    frame_interval 4 become 8 with 8; an interval that would be a fraction is rounded, to 1 at least, with a warning.
    Resolution: where a pipeline ends with the resolution of the encoder that it is written for, its sizes are scaled to
    that of the new one. Resizing: its interpolation; and a resizing of the short side with a crop of the centre becomes
    one of the whole picture to a square, where the encoder wants that ('squash'). Several crops of a picture stay, and
    so does the aspect where nothing is cropped, because boxes belong to it.

    Args:
        node (dict | list): The config, changed in place.
        following (_Following): The numbers.
        path (str): Of the node, for messages.
    """
    if isinstance(node, list):
        if any(_kind(step) in {*FRAMES, *SIZES} for step in node):
            _follow(node, following, path)
        for place, value in enumerate(node):
            follow_in_pipelines(value, following, f'{path}[{place}]')
    elif isinstance(node, dict):
        if isinstance(node.get('protocol'), dict):
            _follow_protocol(node['protocol'], following, f'{path}.protocol')
        for key, value in node.items():
            follow_in_pipelines(value, following, f'{path}.{key}' if path else key)


def _follow(pipeline, following, path):
    for place, step in enumerate(pipeline):
        if _kind(step) in FRAMES:
            # An image may be a still clip of fewer frames, as in pretraining.
            fits = (lambda number: number % following.new.tubelet_size == 0) if _kind(step) == 'StillVideo' else None
            _follow_frames(step, FRAMES[_kind(step)], following, f'{path}[{place}]', DEFAULT_FRAMES, fits)
        if _kind(step) in RESIZING or (_kind(step) == 'LongSideCrops' and step.get('resize')):
            where = f'{path}[{place}]'
            following.number(step, 'interpolation', where, lambda arch: arch.interpolation, default='bilinear')
    _follow_resolution(pipeline, following, path)
    if following.new.resize == 'squash':
        _squash(pipeline, following, path)
    elif following.swap and following.olds[0].resize == 'squash':
        following.refuse(f'{path}: resizing', 'squash', following.new.resize, 'squash')


def _follow_frames(node, key, following, path, default=None, fits=None):
    before = node.get(key, default)
    if not following.number(node, key, path, lambda arch: arch.num_frames, fits, default):
        return
    old = node.get('frame_interval', DEFAULT_INTERVALS.get(_kind(node)))
    if isinstance(old, int):
        interval = old * before / following.new.num_frames
        rounded = max(1, round(interval))
        following.changes.append(f'{path}.frame_interval: {old} -> {rounded}')
        if rounded != interval:
            following.warnings.append(
                f'{path}: {before} frames with frame_interval={old} are as long as '
                f'{following.new.num_frames} with {interval:g}; it is {rounded}, so that clips are '
                f'{rounded / interval:g} times as long'
            )
        node['frame_interval'] = rounded


def _follow_resolution(pipeline, following, path):
    sizes = [(place, step, SIZES[_kind(step)]) for place, step in enumerate(pipeline) if _kind(step) in SIZES]
    sizes = [(place, step, key) for place, step, key in sizes if key in step]
    if not sizes:
        return
    ends_with = _side(sizes[-1][1], sizes[-1][2])
    wanted, known = following.new.img_size, {old.img_size for old in following.olds}
    if ends_with == wanted:
        return
    if ends_with not in known:
        if following.swap and following.new.img_size not in known:
            following.refuse(f'{path}: resolution', ends_with, wanted, following.olds[0].img_size)
        return
    for place, step, key in sizes:
        new = _scaled(step[key], wanted / ends_with)
        following.changes.append(f'{path}[{place}].{key}: {step[key]} -> {new}')
        step[key] = new


def _side(step, key):
    """The size of pictures after a step: a side of the crop, the short side, or the middle of a range."""
    value = step[key]
    if _kind(step) == 'RandomRescale':
        return sum(value) / 2
    return max(value) if isinstance(value, list | tuple) else value


def _scaled(value, factor):
    if isinstance(value, list | tuple):
        return type(value)(_scaled(one, factor) for one in value)
    return value if value <= 0 else round(value * factor)


def _squash(pipeline, following, path):
    for place, step in enumerate(pipeline):
        if _kind(step) == 'ResizeCrop' and step.get('resize') != 'squash':
            step['resize'] = 'squash'
            following.changes.append(f'{path}[{place}].resize: short_side -> squash')
    for place in range(len(pipeline) - 2, -1, -1):
        step, crop = pipeline[place : place + 2]
        if _kind(step) == 'Resize' and _kind(crop) == 'CenterCrop' and step.get('keep_ratio', True):
            size = crop['crop_size']
            step.update(scale=(size, size), keep_ratio=False)
            del pipeline[place + 1]
            following.changes.append(f'{path}[{place}]: the short side and the centre -> the whole, {size} x {size}')


def _follow_protocol(protocol, following, path):
    _follow_frames(protocol, 'frames', following, path)
    for key in ('short_side', 'resolution'):
        following.number(protocol, key, path, lambda arch: arch.img_size, must=lambda value: True)


def _kind(step):
    return step.get('type', '').split('.')[-1] if isinstance(step, dict) and isinstance(step.get('type'), str) else None
