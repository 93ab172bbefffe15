"""Clips of one to three actors with boxes, annotated in AVA's format."""

from pathlib import Path

import numpy as np

from twlv_mm.video import write_video

from .annotations import write_action_list, write_ava
from .build import build, item_jobs, item_rng
from .scene import APPEARANCES, MOTIONS, SPLITS, Actor, background, motion_path

FPS = 12
SIZE = (96, 96)
CLIP_SECONDS = (10, 20)
# As in AVA: the first frame of a file is second 900 of its film, and each second is a keyframe except for the first and
# the last two.
FIRST_SECOND, MARGIN_SECONDS = 900, 2
# Version of the annotations, separate from GENERATOR_VERSION, so that other sets need not be rendered again.
FILES_VERSION = 2
ACTIONS = MOTIONS + APPEARANCES  # ids start at 1
_MOTION_SECONDS = (2, 4)  # of one motion
_SCALE = (9, 27)  # side in pixels of the square with an actor's area, which a growth nearly doubles or halves


def make_boxes(folder, seed=0, num_clips=50, workers=None):
    """Write clips with boxes, ``videos/<video>.mp4``, and AVA's files.

    The files are ``ava_action_list.pbtxt`` and, for each split, those of
    :func:`~twlv_mm.synthetic.annotations.write_ava`; 70 % of the clips are for training. An actor's motion and its
    appearance are its actions. Keyframes at which the motion of an actor changes are excluded. Proposals imitate a good
    detector: each actor with a score above 0.9 and a box that is off by about half a pixel; sometimes a false box with
    a score of at most 0.6.

    ``twlv_mm.AVAVideoDataset`` reads them as they are, mmaction2's AVADataset with ``fps=12, timestamp_start=900,
    start_index=0, use_frames=False, num_classes=17``.

    ``num_clips`` is at least 2; other arguments and the result are those of :func:`make_trimmed`.
    """
    if num_clips < 2:
        raise ValueError(f'num_clips is {num_clips}; it must be at least 2, one for training and one for the test')
    folder = Path(folder)
    num_test = max(1, round(0.3 * num_clips))

    def annotate(clips):
        write_action_list(folder / 'ava_action_list.pbtxt', ACTIONS)
        for split in SPLITS:
            write_ava(folder, split, [clip for clip in clips if clip['split'] == split], ACTIONS)

    jobs = item_jobs(write_boxes_clip, folder, seed, num_clips - num_test, num_test)
    settings = dict(set='boxes', seed=seed, num_clips=num_clips, files_version=FILES_VERSION)
    return build(folder, jobs, settings=settings, annotate=annotate, workers=workers)


def render_boxes_clip(rng, split):
    """Draw a clip of actors that stay in the frame and do not touch each other.

    Returns:
        tuple[ndarray, list[dict]]: (T, H, W, 3) uint8 RGB; for each actor its ``appearance``, ``motions`` (T names;
        that of frame t leads from frame t - 1 to t) and ``boxes`` (T times x1, y1, x2, y2 in pixels, x2 and y2
        exclusive).
    """
    num_frames = FPS * int(rng.integers(CLIP_SECONDS[0], CLIP_SECONDS[1] + 1))
    frames = background(rng, split, SIZE, num_frames)
    people, tracks = [], []
    for _ in range(rng.integers(1, 4)):
        appearance = APPEARANCES[rng.integers(len(APPEARANCES))]
        actor = Actor(appearance, rng, split)
        track = None
        while track is None:
            track = _draw_track(actor, num_frames, tracks, rng)
        tracks.append(track)
        boxes = [actor.draw(frame, *pose) for frame, pose in zip(frames, track['poses'], strict=True)]
        people.append(dict(appearance=appearance, motions=track['motions'], boxes=boxes))
    return frames, people


def write_boxes_clip(folder, seed, split, index):
    rng = item_rng(seed, split, index)
    frames, people = render_boxes_clip(rng, split)
    video = f'{split}_{index:04d}'
    videos = Path(folder) / 'videos'
    videos.mkdir(parents=True, exist_ok=True)
    write_video(videos / f'{video}.mp4', frames, FPS)
    tracks = [[_shares(box) for box in person['boxes']] for person in people]
    return dict(
        video=video,
        split=split,
        keyframes=_keyframes(people, len(frames), rng),
        frame_times=[FIRST_SECOND + t / FPS for t in range(len(frames))],
        tracks=tracks,
    )


def _draw_track(actor, num_frames, others, rng):
    """Draw the poses of an actor, motion by motion, avoiding the tracks of others; None if it has nowhere to go.

    The track has ``poses`` (T, 4) x, y, scale, angle; ``motions`` (T names); ``radius`` (T,) of a circle around the
    actor in pixels.
    """
    height, width = SIZE
    reach = np.linalg.norm(actor.polygon, axis=1).max()
    pose = np.array([rng.uniform(0, width), rng.uniform(0, height), rng.uniform(*_SCALE), rng.uniform(-180, 180)])
    poses, motions = np.empty((0, 4)), []
    while len(poses) < num_frames:
        # One more pose than frames: the first is the end of the previous motion.
        length = int(rng.integers(_MOTION_SECONDS[0] * FPS, _MOTION_SECONDS[1] * FPS + 1)) + 1
        # Turns always fit and would dominate, so the least frequent motion is tried first.
        for motion in sorted(rng.permutation(MOTIONS), key=motions.count):
            path = motion_path(motion, length, rng)
            part = _moved(path, pose)[1:][: num_frames - len(poses)]
            if _is_free(part, reach, others, len(poses)):
                break
        else:
            return None
        poses = np.concatenate([poses, part])
        motions += [str(motion)] * len(part)
        pose = part[-1]
    return dict(poses=poses, motions=motions, radius=reach * poses[:, 2])


def _moved(path, pose):
    """The motion of a path, (T, 4), started from another pose."""
    x, y, scale, angle = pose
    return np.stack(
        [
            x + path['x'] - path['x'][0],
            y + path['y'] - path['y'][0],
            scale * path['scale'] / path['scale'][0],
            angle + path['angle'] - path['angle'][0],
        ],
        axis=1,
    )


def _is_free(poses, reach, others, first):
    """Whether an actor with these poses, from frame ``first`` on, stays in the frame and clear of the others."""
    centre, scale = poses[:, :2], poses[:, 2]
    radius = reach * scale
    inside = (centre >= radius[:, None]).all() and (centre <= np.array(SIZE[::-1]) - radius[:, None]).all()
    now = slice(first, first + len(poses))
    return (
        inside
        and scale.min() >= _SCALE[0]
        and scale.max() <= _SCALE[1]
        and all(
            (np.linalg.norm(centre - other['poses'][now, :2], axis=1) > radius + other['radius'][now]).all()
            for other in others
        )
    )


def _keyframes(people, num_frames, rng):
    """Boxes, actions and proposals of each keyframe, for :func:`write_ava`."""
    keyframes = []
    for second in range(MARGIN_SECONDS, num_frames // FPS - MARGIN_SECONDS + 1):
        t = second * FPS
        boxes = [_shares(person['boxes'][t]) for person in people]
        keyframes.append(
            dict(
                timestamp=FIRST_SECOND + second,
                people=[(box, (p['motions'][t], p['appearance'])) for box, p in zip(boxes, people, strict=True)],
                excluded=any(person['motions'][t] != person['motions'][t + 1] for person in people),
                proposals=_draw_proposals(boxes, rng),
            )
        )
    return keyframes


def _shares(box):
    """A box in pixels as fractions of the frame's width and height."""
    height, width = SIZE
    return [float(edge / side) for edge, side in zip(box, (width, height, width, height), strict=True)]


def _draw_proposals(boxes, rng):
    """Boxes and scores of an imitated detector, best first."""
    proposals = []
    for box in boxes:
        noisy = np.clip(box + rng.normal(0, 0.5, 4) / np.array(SIZE[::-1] * 2), 0, 1)
        proposals.append((noisy, rng.uniform(0.91, 1)))
    if rng.random() < 0.3:
        corner, side = rng.uniform(0, 0.7, 2), rng.uniform(0.1, 0.3, 2)
        proposals.append((np.concatenate([corner, corner + side]), rng.uniform(0.1, 0.6)))
    proposals.sort(key=lambda proposal: -proposal[1])
    return [([round(float(edge), 3) for edge in box], round(float(score), 6)) for box, score in proposals]
