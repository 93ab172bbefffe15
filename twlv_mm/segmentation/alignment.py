"""From the clips of a video to the steps that a model labels, and from steps to frames."""

import numpy as np
import torch
import torch.nn.functional as F


def count_steps(num_frames, subsampling):
    """How many frames ``labels[::subsampling]`` has of num_frames."""
    return -(-num_frames // subsampling)


def stretch(feats, num_steps):
    """Stretch the sequence of clips to the steps of a video by linear interpolation, whenever the clips are.

    Args:
        feats (ndarray): (M, D) float32, M >= 1.
        num_steps (int): T.

    Returns:
        ndarray: (T, D) float32.

    Source: the paper's published evaluation code (``align_corners=False``).
    """
    feats = torch.from_numpy(np.ascontiguousarray(feats.T))[None]
    return F.interpolate(feats, num_steps, mode='linear', align_corners=False)[0].T.numpy()


def at_times(feats, origin, step, times):
    """The features of a video at moments, linear between the centres of its clips.

    Before the first centre and after the last one it is that clip's.

    Args:
        feats (ndarray): (M, D) float32, M >= 1.
        origin (float): Centre of the first clip in seconds.
        step (float): From clip to clip in seconds.
        times (ndarray): (T,) seconds.

    Returns:
        ndarray: (T, D) float32.
    """
    places = np.clip((times - origin) / step, 0, len(feats) - 1)
    before = places.astype(np.int64)
    after = np.minimum(before + 1, len(feats) - 1)
    # In place: a long video has thousands of steps with a thousand numbers each.
    result, change = feats[before], feats[after]
    change -= result
    change *= (places - before).astype(feats.dtype)[:, None]
    result += change
    return result


def steps_to_frames(steps, subsampling, num_frames):
    """Give each frame what its step has.

    Args:
        steps (ndarray): (T, ...), one for every ``subsampling`` frames.
        subsampling (int): Frames a step.
        num_frames (int): F, with T = ceil(F / subsampling).

    Returns:
        ndarray: (F, ...): each step repeated; the last one is cut to the frames that there are.

    Raises:
        ValueError: if there are more or fewer steps than that.
    """
    if len(steps) != count_steps(num_frames, subsampling):
        raise ValueError(
            f'{len(steps)} steps are not those of {num_frames} frames at subsampling={subsampling}, which are '
            f'{count_steps(num_frames, subsampling)}'
        )
    return np.repeat(steps, subsampling, axis=0)[:num_frames]
