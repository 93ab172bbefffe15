"""Videos of one to three minutes with actions between background, for localization and segmentation."""

from pathlib import Path

import numpy as np

from twlv_mm.records import write_text
from twlv_mm.video import write_video

from .annotations import write_frame_labels, write_thumos
from .build import build, item_rng
from .scene import APPEARANCES, MOTIONS, SPLITS, Actor, background, motion_path

FPS = 8
SIZE = (64, 64)
# Shortest and longest, in seconds.
VIDEO_SECONDS, ACTION_SECONDS, BACKGROUND_SECONDS = (60, 180), (2, 5), (1, 5)


def make_untrimmed(folder, seed=0, num_videos=20, workers=None):
    """Write untrimmed videos and their actions in two published formats, which agree to the frame.

    ``videos/<split>/<video>.mp4``, one half of them for training; ``annotations.json`` as THUMOS14 has it, subset
    'Validation' for training and 'Test', with its ``classes.txt``, one name a line; ``groundTruth/``, ``mapping.txt``
    and ``splits/`` as 50Salads and GTEA have them, a label for every frame of the video, two folds.

    Args:
        folder (str): Where to.
        seed (int): The same seed gives the same bytes.
        num_videos (int): Videos, at least 2.
        workers (int, optional): Processes; see :func:`twlv_mm.synthetic.build`.

    Returns:
        bool: whether anything had to be written.

    Raises:
        FolderError: if the folder holds something else.
        ValueError: if there are too few videos for two splits.
    """
    if num_videos < 2:
        raise ValueError(f'num_videos is {num_videos}: at least 2 are needed, one for training and one for the test')
    folder = Path(folder)
    num_test = num_videos // 2

    def annotate(videos):
        write_text(folder / 'classes.txt', ''.join(f'{name}\n' for name in MOTIONS))
        write_thumos(folder / 'annotations.json', videos, MOTIONS, FPS)
        write_frame_labels(folder, videos, MOTIONS)

    jobs = [
        (write_untrimmed, dict(folder=str(folder), seed=seed, split=split, index=index))
        for split, number in zip(SPLITS, (num_videos - num_test, num_test), strict=True)
        for index in range(number)
    ]
    settings = dict(set='untrimmed', seed=seed, num_videos=num_videos)
    return build(folder, jobs, settings=settings, annotate=annotate, workers=workers)


def draw_timeline(rng):
    """Draw when which motion happens: actions of 2 to 5 s, background of at least 1 s before, between and after them.

    Args:
        rng (numpy.random.Generator): Draws everything.

    Returns:
        tuple[int, list[tuple[str, int, int]]]: the video's number of frames; for each action, in order of time, its
        motion, its first frame and the frame after its last one.
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
    """Draw a video. Each action has an actor of its own.

    It is there some time before its action and stays some time after it, still, so that neither its presence nor its
    coming tells an action; in between nobody is there.

    Args:
        rng (numpy.random.Generator): Draws everything.
        split (str): 'train' or 'test'.

    Returns:
        tuple[ndarray, list[tuple[str, int, int]]]: (T, H, W, 3) uint8 RGB; the actions of :func:`draw_timeline`.
    """
    num_frames, actions = draw_timeline(rng)
    frames = background(rng, split, SIZE, num_frames)
    ends, starts = [0] + [end for *_, end in actions], [start for _, start, _ in actions] + [num_frames]
    # When, within each background stretch, the last actor goes and the next one comes.
    changes = [np.sort(rng.integers(end, start + 1, 2)) for end, start in zip(ends, starts, strict=True)]
    for (motion, start, end), (_, come), (go, _) in zip(actions, changes[:-1], changes[1:], strict=True):
        actor = Actor(APPEARANCES[rng.integers(len(APPEARANCES))], rng, split)
        path = motion_path(motion, end - start, rng, SIZE)
        poses = np.stack([np.pad(values, (start - come, go - end), mode='edge') for values in path.values()], axis=1)
        for frame, pose in zip(frames[come:go], poses, strict=True):
            actor.draw(frame, *pose)
    return frames, actions


def write_untrimmed(folder, seed, split, index):
    """Write one video of the set; the job of :func:`make_untrimmed`."""
    frames, actions = render_untrimmed(item_rng(seed, split, index), split)
    video = f'{split}_{index:04d}'
    videos = Path(folder) / 'videos' / split
    videos.mkdir(parents=True, exist_ok=True)
    write_video(videos / f'{video}.mp4', frames, FPS)
    return dict(video=video, split=split, num_frames=len(frames), actions=actions)


def _draw_frames(rng, seconds):
    """Draw a number of frames between two numbers of seconds."""
    return int(rng.integers(seconds[0] * FPS, seconds[1] * FPS + 1))
