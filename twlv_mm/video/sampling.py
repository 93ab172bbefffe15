"""Which frames make a clip: Uniform Embedding and Multi-Clip Embedding (paper section 2.1, Figure 4).

All of it on real time stamps, so that variable frame rates and any number of frames a second are right.
"""

import numpy as np

# Readers round time stamps (decord keeps them as float32), so instants this close count as the same.
TOLERANCE = 1e-3  # seconds


def clip_windows(duration, clip_seconds, stride_seconds=None):
    """Divide a video into clips (Multi-Clip Embedding).

    Only whole clips count: a tail shorter than ``clip_seconds`` that is left at the end makes no clip, as in the
    published embeddings. A video shorter than one clip is one clip, its whole length.

    Args:
        duration (float): Length of the video in seconds.
        clip_seconds (float): T, length of a clip in seconds.
        stride_seconds (float, optional): T_s, from one clip's start to the next; T if None.

    Returns:
        ndarray: (M, 2) float64, start and end of each clip in seconds, M >= 1.

    Raises:
        ValueError: if a length is not positive.

    Source: paper section 2.1; the tail as in the embeddings published with it, whose number of clips is
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
    """Sample frames at a uniform stride from windows of time.

    A window is cut into ``num_frames`` equal parts, and the frame on screen at the middle of each part is taken: frames
    repeat where the window has fewer of them.

    Args:
        frame_times (ndarray): (F, 2) start and end of each frame in seconds.
        windows (ndarray): (M, 2) start and end of each window in seconds.
        num_frames (int): N, frames a clip.

    Returns:
        ndarray: (M, N) int64 frame indices.
    """
    middles = (np.arange(num_frames) + 0.5) / num_frames
    starts, ends = windows[:, :1], windows[:, 1:]
    instants = starts + (ends - starts) * middles
    return frames_at(frame_times, instants)


def frames_at(frame_times, instants):
    """The frames that are on screen at some instants; the first or last one before or after the video.

    Args:
        frame_times (ndarray): (F, 2) start and end of each frame in seconds.
        instants (ndarray): Seconds.

    Returns:
        ndarray: int64 frame indices in the instants' shape.
    """
    indices = np.searchsorted(frame_times[:, 0], instants + TOLERANCE, side='right') - 1
    return np.clip(indices, 0, len(frame_times) - 1)


def clip_offsets(total_frames, num_frames, frame_interval, num_clips, test_mode):
    """Where clips of frames with a stride begin in a video, as mmaction2's SampleFrames chooses it.

    Args:
        total_frames (int): Frames of the video.
        num_frames (int): N, frames a clip.
        frame_interval (int): Frames of the video from one of the clip to the next.
        num_clips (int): M.
        test_mode (bool): Whether clips are at equal intervals, or one in each of M parts, drawn with NumPy's global
            generator.

    Returns:
        ndarray: (M,) int64 indices of the clips' first frames.
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
    """The windows of time that one of the paper's two samplings takes from a video.

    Args:
        frame_times (ndarray): (F, 2) start and end of each frame in seconds.
        sampling (str): 'uniform' (one window, the whole video) or 'multi-clip'.
        clip_seconds (float): T of 'multi-clip'.
        stride_seconds (float, optional): T_s of 'multi-clip'; T if None.

    Returns:
        ndarray: (M, 2) float64 start and end in seconds.

    Raises:
        ValueError: if the sampling is unknown or a length is not positive.
    """
    duration = frame_times[-1, 1]
    if sampling == 'uniform':
        return np.array([[0.0, duration]])
    if sampling == 'multi-clip':
        return clip_windows(duration, clip_seconds, stride_seconds)
    raise ValueError(f"there is no sampling {sampling!r}; there are 'uniform' and 'multi-clip'")
