"""Choose the frames of clips: Uniform Embedding and Multi-Clip Embedding (paper section 2.1, Figure 4).

Everything is computed on time stamps, so variable frame rates are handled too.
"""

import numpy as np

# Files round time stamps to milliseconds, so instants this close count as equal.
TOLERANCE = 1e-3  # seconds


def clip_windows(duration, clip_seconds, stride_seconds=None):
    """Divide a video into clips (Multi-Clip Embedding).

    A remainder shorter than ``clip_seconds`` at the end is dropped, as in TWLV-I's embeddings. A video shorter
    than one clip is one clip, its whole length.

    Args:
        duration (float): Length of the video in seconds.
        clip_seconds (float): T, length of a clip in seconds.
        stride_seconds (float, optional): T_s, from one clip's start to the next; T if None.

    Returns:
        ndarray: (M, 2) float64, start and end of each clip in seconds, M >= 1.

    Source: paper section 2.1; the remainder as in the embeddings published with it, whose number of clips is
    ``floor((duration - T) / T_s) + 1``.
    """
    stride_seconds = clip_seconds if stride_seconds is None else stride_seconds
    if not (clip_seconds > 0 and stride_seconds > 0):  # nor NaN
        raise ValueError(f'clip_seconds={clip_seconds} and stride_seconds={stride_seconds} must be positive')
    if duration < clip_seconds - TOLERANCE:
        return np.array([[0.0, duration]])
    count = int((duration - clip_seconds + TOLERANCE) / stride_seconds) + 1
    starts = np.arange(count) * float(stride_seconds)
    return np.stack([starts, np.minimum(starts + clip_seconds, duration)], axis=1)


def frames_of_windows(frame_times, windows, num_frames):
    """Sample frames at a uniform stride from time windows.

    A window is divided into ``num_frames`` (N) equal parts, and the frame on screen at the middle of each is taken, so
    frames repeat if the window has fewer. ``frame_times`` (F, 2) and ``windows`` (M, 2) are in seconds; returns (M, N)
    indices.
    """
    middles = (np.arange(num_frames) + 0.5) / num_frames
    starts, ends = windows[:, :1], windows[:, 1:]
    instants = starts + (ends - starts) * middles
    return frames_at(frame_times, instants)


def tolerance(frame_times):
    """Seconds by which instants may differ and count as equal: less than :data:`TOLERANCE` at high frame rates."""
    return min(TOLERANCE, 0.1 * float(frame_times[-1, 1] - frame_times[0, 0]) / len(frame_times))


def frames_at(frame_times, instants):
    """The indices of the frames on screen at ``instants`` (seconds); the first or last one outside the video."""
    indices = np.searchsorted(frame_times[:, 0], instants + tolerance(frame_times), side='right') - 1
    return np.clip(indices, 0, len(frame_times) - 1)


def clip_offsets(total_frames, num_frames, frame_interval, num_clips, test_mode):
    """The first frames (M,) of strided clips, as mmaction2's SampleFrames chooses them.

    Clips are at equal intervals in ``test_mode``; otherwise one is at random in each of ``num_clips`` (M) parts, by
    NumPy's global generator. ``frame_interval`` is the stride between a clip's frames.
    """
    if test_mode and num_frames == 1:  # a frame in the middle of each part
        part = total_frames / num_clips
        return (np.arange(num_clips) * part + part / 2).astype(np.int64)
    if test_mode:
        room = max(total_frames - (num_frames - 1) * frame_interval - 1, 0)
        if num_clips == 1:
            return np.array([room // 2])
        return np.round(np.arange(num_clips) * (room / (num_clips - 1))).astype(np.int64)
    length = num_frames * frame_interval
    starts = total_frames - length + 1
    part = starts // num_clips
    if part > 0:
        return np.arange(num_clips) * part + np.random.randint(part, size=num_clips)
    if total_frames > max(num_clips, length):
        return np.sort(np.random.randint(starts, size=num_clips))
    if part == 0:
        return np.around(np.arange(num_clips) * (starts / num_clips)).astype(np.int64)
    return np.zeros(num_clips, np.int64)


def sample_windows(frame_times, sampling, clip_seconds=2.0, stride_seconds=None):
    """The time windows, (M, 2) in seconds, of one of the paper's two samplings.

    Args:
        frame_times (ndarray): (F, 2) start and end of each frame in seconds.
        sampling (str): 'uniform' (one window, the whole video) or 'multi-clip'.
        clip_seconds, stride_seconds: As for :func:`clip_windows`.
    """
    duration = frame_times[-1, 1]
    if sampling == 'uniform':
        return np.array([[0.0, duration]])
    if sampling == 'multi-clip':
        return clip_windows(duration, clip_seconds, stride_seconds)
    raise ValueError(f"unknown sampling {sampling!r}; choose 'uniform' or 'multi-clip'")
