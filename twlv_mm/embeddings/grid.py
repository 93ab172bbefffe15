"""When the clips of a video are: a regular grid of time, from their own times or from what they were extracted with."""

import numpy as np

from .settings import shared_settings

UNIFORM = 0.01  # share of the step by which distances of clips may differ


def clip_settings(folder, infos):
    """The settings that all embeddings of a folder share, where a task needs to know what happens when.

    Args:
        folder (str | Path): Where they are, for the message.
        infos (dict[str, dict]): As for :func:`~twlv_mm.embeddings.shared_settings`.

    Returns:
        dict: name of a setting -> value, None where not known.
    """
    settings = shared_settings(folder, infos)
    if settings['sampling'] == 'uniform':
        raise ValueError(
            f'{folder} holds one vector for a whole video (sampling uniform), which says nothing of when: '
            'extract with --sampling multi-clip'
        )
    return settings


def video_grid(embeddings, video_id, clip_seconds=None, stride_seconds=None, duration=None, fps=None):
    """The grid of time that the clips of an embedded video are on.

    Args:
        embeddings (EmbeddingFolder): Where the video is.
        video_id (str): Its id there.
        clip_seconds (float, optional): Length of a clip. Where the embeddings carry the times of their clips, those
            count and must agree, and this may be None.
        stride_seconds (float, optional): From one clip's start to the next; as clip_seconds.
        duration (float, optional): Of the video in seconds: one that is shorter than a clip is one clip, as long as it
            is, whose centre is the video's.
        fps (float, optional): Frames a second of the video, for features of elsewhere that do not say it.

    Returns:
        dict: origin (the centre of the first clip), step (from clip to clip) and clip_seconds, float, in seconds;
        num_clips (int), how many of the video's clips, from the first, are on that grid.
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
                f'{source} does not say when its clips are: set clip_seconds and stride_seconds to what it was '
                'extracted with'
            )
        grid = dict(origin=clip_seconds / 2, step=stride_seconds, clip_seconds=clip_seconds)
    elif len(times) != count:
        raise ValueError(f'{source} has {count} vectors and times of {len(times)} clips: extract it again')
    else:
        stride = stride_seconds
        if count == 1:  # whose times do not show the step
            stride = stride or embeddings.info(video_id).get('stride_seconds')
        grid, count = clip_grid(source, times, stride)
        _check_lengths(source, grid, count, clip_seconds, stride_seconds)
    if duration and duration < grid['clip_seconds']:
        grid['origin'] = duration / 2
    return dict(grid, num_clips=count)


def clip_grid(source, times, stride_seconds=None):
    """The grid of time that clips are on whose times are known.

    Args:
        source (str): Whose clips they are, for messages.
        times (ndarray): (M, 2) start and end of each clip in seconds, M >= 1.
        stride_seconds (float, optional): The step of a single clip; its length if None.

    Returns:
        tuple[dict, int]: origin, step and clip_seconds, as :func:`video_grid` gives them; how many of the clips are on
        that grid.
    """
    starts, lengths = times[:, 0], times[:, 1] - times[:, 0]
    if not np.isfinite(times).all() or (lengths <= 0).any():
        raise ValueError(f'{source} has clips that do not end after they start: extract it again')
    step = stride_seconds or lengths[0]
    if len(starts) > 1:
        steps = np.diff(starts)
        step = float(np.median(steps))
        # Ours leave out a tail shorter than a clip; other tools move the last clip forward to the video's end. What it
        # shows is nearly what the one before shows, and it has no place on the grid.
        kept = len(steps) - (len(steps) > 1 and 0 < steps[-1] < (1 - UNIFORM) * step)
        if step <= 0 or np.abs(steps[:kept] - step).max() > UNIFORM * step:
            raise ValueError(
                f'{source} has clips at irregular distances ({steps[:kept].min():.4g} to {steps[:kept].max():.4g} s): '
                'extract it with one stride'
            )
        step, starts = float(steps[:kept].mean()), starts[: kept + 1]
    return dict(origin=float(times[0].mean()), step=float(step), clip_seconds=float(np.median(lengths))), len(starts)


def feature_choices(embeddings, grids):
    """What results.json has to say of the clips of embeddings, or of features that were made elsewhere.

    Args:
        embeddings (EmbeddingFolder): Where they are.
        grids (list[dict]): Of the videos, from :func:`video_grid`.

    Returns:
        dict: clip_seconds and stride_seconds, None where videos differ, but for those that are shorter than a clip;
        features, where they were made elsewhere.
    """
    shared = {}
    for name, key in dict(clip_seconds='clip_seconds', stride_seconds='step').items():
        values = {round(grid[key], 6) for grid in grids if grid['num_clips'] > 1 or len(grids) == 1}
        shared[name] = values.pop() if len(values) == 1 else None
    return shared if embeddings.features is None else dict(features=embeddings.features.said(), **shared)


def grid_end(grid):
    """Where the last clip ends.

    Args:
        grid (dict): From :func:`video_grid`.

    Returns:
        float: seconds.
    """
    return grid['origin'] + (grid['num_clips'] - 1) * grid['step'] + grid['clip_seconds'] / 2


def grid_clips(embeddings, video_id, num_clips):
    """Vectors of the clips that are on a video's grid.

    Args:
        embeddings (EmbeddingFolder): Where the video is.
        video_id (str): Its id there.
        num_clips (int): From :func:`video_grid`.

    Returns:
        ndarray: (num_clips, D) float32, in order of time.
    """
    feats = embeddings.clips(video_id)
    if not np.isfinite(feats).all():
        raise ValueError(f'{video_id} in {embeddings.path} holds NaN or infinite numbers: extract it again')
    return feats[:num_clips]


def _check_lengths(source, grid, count, clip_seconds, stride_seconds):
    clip = grid['clip_seconds']
    wrong_clip = clip_seconds and (count > 1 or clip > clip_seconds)
    for argument, wanted, found in (
        ('clip_seconds', clip_seconds if wrong_clip else None, clip),
        ('stride_seconds', stride_seconds, grid['step']),
    ):
        if wanted is not None and abs(found - wanted) > UNIFORM * wanted:
            raise ValueError(f'{argument}={wanted}, but {source} has {found:.4g}: set it to that, or to None')
