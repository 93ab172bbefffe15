"""From a label a frame to segments."""

import numpy as np

UNLABELLED = -100  # of a frame that nobody labelled


def segments_of(frames):
    """Join neighbouring frames of one label.

    Args:
        frames (array_like): (F,) int labels; -100 = not labelled.

    Returns:
        ndarray: (S, 3) int64 label, first frame and the frame after the last, in order of time. Frames without a label
        are in no segment, and end the one before them.
    """
    frames = np.asarray(frames, np.int64)
    starts = np.flatnonzero(np.diff(frames, prepend=frames[:1] - 1))
    ends = np.append(starts, len(frames))[1:]
    segments = np.stack([frames[starts], starts, ends], axis=1)
    return segments[segments[:, 0] != UNLABELLED]


def segments_in_seconds(segments, fps):
    """Give segments their times.

    Args:
        segments (array_like): (S, 3) int label, first frame and the frame after the last.
        fps (float): Frames a second.

    Returns:
        ndarray: (S, 3) float64 label, start and end in seconds.
    """
    return np.asarray(segments, float).reshape(-1, 3) / (1, fps, fps)
