"""Videos of one to three minutes with actions between background, for localization and segmentation."""

from pathlib import Path

import numpy as np

from twlv_mm.records import write_text
from twlv_mm.video import write_video

from .annotations import write_frame_labels, write_thumos
from .build import build, item_jobs, item_rng
from .scene import APPEARANCES, MOTIONS, Actor, background, motion_path

FPS = 8
SIZE = (64, 64)
# Shortest and longest, in seconds.
VIDEO_SECONDS, ACTION_SECONDS, BACKGROUND_SECONDS = (60, 180), (2, 5), (1, 5)


def make_untrimmed(folder, seed=0, num_videos=20, workers=None):
    """Write untrimmed videos and their actions in two published formats, which agree to the frame.

    ``videos/<split>/<video>.mp4``, half of them for training; ``annotations.json`` in THUMOS14's format (subset
    'Validation' for training, 'Test') with ``classes.txt``, one name per line; ``groundTruth/``, ``mapping.txt`` and
    ``splits/`` in the format of 50Salads and GTEA, a label for every frame, two folds.

    ``num_videos`` is at least 2; other arguments and the result are those of :func:`make_trimmed`.
    """
    if num_videos < 2:
        raise ValueError(f'num_videos is {num_videos}; it must be at least 2, one for training and one for the test')
    folder = Path(folder)
    num_test = num_videos // 2

    def annotate(videos):
        write_text(folder / 'classes.txt', ''.join(f'{name}\n' for name in MOTIONS))
        write_thumos(folder / 'annotations.json', videos, MOTIONS, FPS)
        write_frame_labels(folder, videos, MOTIONS)

    jobs = item_jobs(write_untrimmed, folder, seed, num_videos - num_test, num_test)
    settings = dict(set='untrimmed', seed=seed, num_videos=num_videos)
    return build(folder, jobs, settings=settings, annotate=annotate, workers=workers)


def draw_timeline(rng):
    """Draw the actions of a video: 2 to 5 s each, with at least 1 s of background before, between and after them.

    Returns:
        tuple[int, list[tuple[str, int, int]]]: number of frames; motion, first frame and end frame (exclusive) of each
        action, in order of time.
    """
    num_frames = _draw_frames(rng, VIDEO_SECONDS)
    actions, end = [], 0
    while True:
        start = end + _draw_frames(rng, BACKGROUND_SECONDS)
        end = start + _draw_frames(rng, ACTION_SECONDS)
        if end > num_frames - BACKGROUND_SECONDS[0] * FPS:
            return num_frames, actions
        actions.append((MOTIONS[rng.integers(len(MOTIONS))], start, end))


def render_untrimmed(rng, split):
    """Draw a video, with an actor of its own for each action.

    An actor appears some time before its action and stays some time after it, still, so that neither its presence nor
    its arrival reveals the action; in between there is no actor.

    Returns:
        tuple[ndarray, list[tuple[str, int, int]]]: (T, H, W, 3) uint8 RGB; the actions of :func:`draw_timeline`.
    """
    num_frames, actions = draw_timeline(rng)
    frames = background(rng, split, SIZE, num_frames)
    ends, starts = [0] + [end for *_, end in actions], [start for _, start, _ in actions] + [num_frames]
    # In each stretch of background: when the previous actor leaves and the next one appears.
    changes = [np.sort(rng.integers(end, start + 1, 2)) for end, start in zip(ends, starts, strict=True)]
    for (motion, start, end), (_, come), (go, _) in zip(actions, changes[:-1], changes[1:], strict=True):
        actor = Actor(APPEARANCES[rng.integers(len(APPEARANCES))], rng, split)
        path = motion_path(motion, end - start, rng, SIZE)
        poses = np.stack([np.pad(values, (start - come, go - end), mode='edge') for values in path.values()], axis=1)
        for frame, pose in zip(frames[come:go], poses, strict=True):
            actor.draw(frame, *pose)
    return frames, actions


def write_untrimmed(folder, seed, split, index):
    frames, actions = render_untrimmed(item_rng(seed, split, index), split)
    video = f'{split}_{index:04d}'
    videos = Path(folder) / 'videos' / split
    videos.mkdir(parents=True, exist_ok=True)
    write_video(videos / f'{video}.mp4', frames, FPS)
    return dict(video=video, split=split, num_frames=len(frames), actions=actions)


def _draw_frames(rng, seconds):
    """Draw a number of frames between two durations in seconds."""
    return int(rng.integers(seconds[0] * FPS, seconds[1] * FPS + 1))
