"""Segments from labels of frames."""

import numpy as np

UNLABELLED = -100  # label of a frame without one


def segments_of(frames):
    """Join consecutive frames of one label: (F,) -> (S, 3) int64 label, first frame and the frame after the last.

    Frames without a label (-100) are in no segment, and end the one before them.
    """
    frames = np.asarray(frames, np.int64)
    starts = np.flatnonzero(np.diff(frames, prepend=frames[:1] - 1))
    ends = np.append(starts, len(frames))[1:]
    segments = np.stack([frames[starts], starts, ends], axis=1)
    return segments[segments[:, 0] != UNLABELLED]


def segments_in_seconds(segments, fps):
    """(S, 3) label, first frame and frame after the last -> (S, 3) float64 label, start and end in seconds."""
    return np.asarray(segments, float).reshape(-1, 3) / (1, fps, fps)
