"""Regular time grids of clips, from their recorded times or the settings they were extracted with."""

import numpy as np

from .extraction_settings import shared_settings

UNIFORM = 0.01  # tolerance of the distance between clips, as a fraction of it


def clip_settings(folder, infos):
    """:func:`shared_settings` of a folder's embeddings, for a task that needs the times of clips."""
    settings = shared_settings(folder, infos)
    if settings['sampling'] == 'uniform':
        raise ValueError(
            f'{folder} holds one vector per video (sampling uniform), which has no times within the video: extract '
            'with --sampling multi-clip'
        )
    return settings


def video_grid(embeddings, video_id, clip_seconds=None, stride_seconds=None, duration=None, fps=None):
    """Time grid of an embedded video's clips.

    Args:
        embeddings (EmbeddingFolder): Its folder.
        video_id (str): Its id.
        clip_seconds (float, optional): Length of a clip; must agree with the recorded times if there are any, and may
            be None then.
        stride_seconds (float, optional): From one clip's start to the next; as clip_seconds.
        duration (float, optional): Of the video in seconds; if shorter than a clip, the only clip is centred in it.
        fps (float, optional): Frame rate of the video, for features that do not state it.

    Returns:
        dict: origin (centre of the first clip), step and clip_seconds, in seconds; num_clips, how many clips, from the
        first, lie on the grid.
    """
    source = f'{video_id} in {embeddings.path}'
    count = embeddings.count(video_id)
    if embeddings.features is not None:
        grid = embeddings.features.grid(source, video_id, count, duration, fps)
        if grid is not None:
            _check_lengths(source, grid, count, clip_seconds, stride_seconds)
            return dict(grid, num_clips=count)
    times = embeddings.times(video_id)
    if times is None:
        if clip_seconds is None or stride_seconds is None:
            raise ValueError(
                f'{source} has no clip times: set clip_seconds and stride_seconds to the values of the extraction'
            )
        grid = dict(origin=clip_seconds / 2, step=stride_seconds, clip_seconds=clip_seconds)
    elif len(times) != count:
        raise ValueError(f'{source} has {count} vectors but times of {len(times)} clips: extract it again')
    else:
        stride = stride_seconds
        if count == 1:  # the times of one clip do not show the step
            stride = stride or embeddings.info(video_id).get('stride_seconds')
        grid, count = clip_grid(source, times, stride)
        _check_lengths(source, grid, count, clip_seconds, stride_seconds)
    if duration and duration < grid['clip_seconds']:
        grid['origin'] = duration / 2
    return dict(grid, num_clips=count)


def clip_grid(source, times, stride_seconds=None):
    """Time grid of clips with known times.

    Args:
        source (str): The video, for messages.
        times (ndarray): (M, 2) start and end of each clip in seconds, M >= 1.
        stride_seconds (float, optional): Step of a single clip; its length if None.

    Returns:
        tuple[dict, int]: origin, step and clip_seconds as for :func:`video_grid`; how many clips lie on the grid.
    """
    starts, lengths = times[:, 0], times[:, 1] - times[:, 0]
    if not np.isfinite(times).all() or (lengths <= 0).any():
        raise ValueError(f'{source} has clips that do not end after they start: extract it again')
    step = stride_seconds or lengths[0]
    if len(starts) > 1:
        steps = np.diff(starts)
        step = float(np.median(steps))
        # We drop a tail shorter than a clip; other tools align the last clip with the end of the video. It overlaps
        # most of the clip before, and is not on the grid.
        kept = len(steps) - (len(steps) > 1 and 0 < steps[-1] < (1 - UNIFORM) * step)
        if step <= 0 or np.abs(steps[:kept] - step).max() > UNIFORM * step:
            raise ValueError(
                f'{source} has clips at irregular distances ({steps[:kept].min():.4g} to {steps[:kept].max():.4g} s): '
                'extract it with a constant stride'
            )
        step, starts = float(steps[:kept].mean()), starts[: kept + 1]
    return dict(origin=float(times[0].mean()), step=float(step), clip_seconds=float(np.median(lengths))), len(starts)


def feature_choices(embeddings, grids):
    """Clip settings and features of an EmbeddingFolder for results.json, from the grids of its videos.

    clip_seconds and stride_seconds are None if videos differ (those shorter than a clip aside).
    """
    shared = {}
    for name, key in dict(clip_seconds='clip_seconds', stride_seconds='step').items():
        values = {round(grid[key], 6) for grid in grids if grid['num_clips'] > 1 or len(grids) == 1}
        shared[name] = values.pop() if len(values) == 1 else None
    return shared if embeddings.features is None else dict(features=embeddings.features.described(), **shared)


def grid_end(grid):
    """End of the last clip of a grid from :func:`video_grid`, in seconds."""
    return grid['origin'] + (grid['num_clips'] - 1) * grid['step'] + grid['clip_seconds'] / 2


def grid_clips(embeddings, video_id, num_clips):
    """(num_clips, D) float32 vectors of a video's clips on its grid, in order of time; finite."""
    feats = embeddings.clips(video_id)
    if not np.isfinite(feats).all():
        raise ValueError(f'{video_id} in {embeddings.path} contains NaN or Inf: extract it again')
    return feats[:num_clips]


def _check_lengths(source, grid, count, clip_seconds, stride_seconds):
    clip = grid['clip_seconds']
    wrong_clip = clip_seconds and (count > 1 or clip > clip_seconds)
    for argument, wanted, found in (
        ('clip_seconds', clip_seconds if wrong_clip else None, clip),
        ('stride_seconds', stride_seconds, grid['step']),
    ):
        if wanted is not None and abs(found - wanted) > UNIFORM * wanted:
            raise ValueError(f'{argument}={wanted}, but {source} has {found:.4g}: set it to that value or to None')
