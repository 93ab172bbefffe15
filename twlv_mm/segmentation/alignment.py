"""Alignment of a video's clips with the steps that a model labels, and of steps with frames."""

import numpy as np
import torch
import torch.nn.functional as F


def count_steps(num_frames, subsampling):  # the length of labels[::subsampling]
    return -(-num_frames // subsampling)


def stretch(feats, num_steps):
    """Stretch clips (M, D) to the T steps of a video by linear interpolation, regardless of the times of the clips.

    Source: TWLV-I's evaluation code (``align_corners=False``).
    """
    feats = torch.from_numpy(np.ascontiguousarray(feats.T))[None]
    return F.interpolate(feats, num_steps, mode='linear', align_corners=False)[0].T.numpy()


def at_times(feats, origin, step, times):
    """Features (T, D) at T times in seconds, linear between the centres of clips and constant beyond them.

    ``origin`` is the centre of the first of (M, D) clips in seconds, ``step`` the distance from clip to clip.
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
    """Repeat each of T = ceil(F / subsampling) steps for its frames: (T, ...) -> (F, ...), with F = num_frames."""
    if len(steps) != count_steps(num_frames, subsampling):
        raise ValueError(
            f'there are {len(steps)} steps for {num_frames} frames at subsampling={subsampling}, which makes '
            f'{count_steps(num_frames, subsampling)} steps'
        )
    return np.repeat(steps, subsampling, axis=0)[:num_frames]
