"""Results of tools/infer.py, read as annotations."""

from .. import checks
from .video_annotations import file_name


def read_prediction(path, result, context):
    """Read a result of localization, segmentation or detection.

    Args:
        path (Path): The json file.
        result (dict): Its content.
        context (Import): Media.

    Returns:
        list[VideoAnnotations]: the one video, with segments, or boxes at the keyframes.
    """
    duration = checks.time(result.get('duration_seconds'), f'{path}, duration_seconds')
    size = result.get('size')
    size = None if size is None else tuple(checks.array(size, f'{path}, size', 1).tolist())
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise ValueError(f'{path}: {checks.shown(size)} is not a frame size')
    video = context.video(file_name(result.get('video'), f'{path}, video'), duration, size)
    if 'keyframes' in result:
        for keyframe in checks.instance(result['keyframes'], list, f'{path}, keyframes'):
            _read_keyframe(checks.instance(keyframe, dict, f'{path}, a keyframe'), video, path, context)
        return [video]
    for place, one in enumerate(checks.instance(result.get('predictions'), list, f'{path}, predictions'), 1):
        where = f'{path}, prediction {place}'
        if not {'start', 'end'} <= checks.instance(one, dict, where).keys():
            raise ValueError(f'{where}: no start and end: labels of whole videos are in summary.csv')
        context.segment(video, one.get('label'), one['start'], one['end'], where, _score(one, where))
    video.segments.sort(key=lambda one: (one.start, one.end))
    return [video]


def _read_keyframe(keyframe, video, path, context):
    where = f'{path}, a keyframe'
    time = checks.time(keyframe.get('time'), f'{where}, its time')
    for found in checks.instance(keyframe.get('predictions'), list, f'{where}, predictions'):
        checks.instance(found, dict, f'{where}, a box')
        corners = checks.array(found.get('box'), f'{where}, a box', 1).tolist()
        if len(corners) != 4:
            raise ValueError(f'{where}: {checks.shown(corners)} is not a box')
        for action in checks.instance(found.get('actions'), list, f'{where}, actions'):
            checks.instance(action, dict, f'{where}, an action')
            context.box(video, action.get('label'), time, corners, where, None, _score(action, where))


def _score(one, where):
    return None if one.get('score') is None else checks.number(one['score'], f'{where}, its score')
