"""Clips of one to three acting shapes with a box around each, annotated as AVA is."""

from pathlib import Path

import numpy as np

from twlv_mm.video import write_video

from .annotations import write_action_list, write_ava
from .build import build, item_rng
from .scene import APPEARANCES, MOTIONS, SPLITS, Actor, background, motion_path

FPS = 12
SIZE = (96, 96)
CLIP_SECONDS = (10, 20)
# As in AVA: a file's first frame is second 900 of the film that it is cut from, each second is a keyframe, and the
# first and the last two seconds have none.
FIRST_SECOND, MARGIN_SECONDS = 900, 2
# Of what is written besides videos: counted up alone, so that the other sets need not be rendered again.
FILES_VERSION = 2
# Their ids start at 1.
ACTIONS = MOTIONS + APPEARANCES

# Of one motion.
_MOTION_SECONDS = (2, 4)
# Side in pixels of the square with an actor's area, which a growth nearly doubles or halves.
_SCALE = (9, 27)


def make_boxes(folder, seed=0, num_clips=50, workers=None):
    """Write clips with boxes and AVA's files.

    ``videos/<video>.mp4``; ``ava_action_list.pbtxt``; for either split what :func:`write_ava
    <twlv_mm.synthetic.annotations.write_ava>` writes: boxes at keyframes and at every frame, excluded time stamps,
    proposals. Of the clips, 70 % are for training.

    An actor's motion and its appearance are its actions. Excluded are the keyframes at which the motion of an actor
    before is another one than after. The proposals stand for a good detector: each actor with a score above 0.9 and a
    box that is off by half a pixel or so; now and then a box of nothing, with a score of at most 0.6.

    ``twlv_mm.AVAVideoDataset`` reads them as they are, mmaction2's AVADataset with ``fps=12, timestamp_start=900,
    start_index=0, use_frames=False, num_classes=17``.

    Args:
        folder (str): Where to.
        seed (int): The same seed gives the same bytes.
        num_clips (int): Clips, at least 2.
        workers (int, optional): Processes; see :func:`twlv_mm.synthetic.build`.

    Returns:
        bool: whether anything had to be written.

    Raises:
        FolderError: if the folder holds something else.
        ValueError: if there are too few clips for two splits.
    """
    if num_clips < 2:
        raise ValueError(f'num_clips is {num_clips}: at least 2 are needed, one for training and one for the test')
    folder = Path(folder)
    num_test = max(1, round(0.3 * num_clips))

    def annotate(clips):
        write_action_list(folder / 'ava_action_list.pbtxt', ACTIONS)
        for split in SPLITS:
            write_ava(folder, split, [clip for clip in clips if clip['split'] == split], ACTIONS)

    jobs = [
        (write_boxes_clip, dict(folder=str(folder), seed=seed, split=split, index=index))
        for split, number in zip(SPLITS, (num_clips - num_test, num_test), strict=True)
        for index in range(number)
    ]
    settings = dict(set='boxes', seed=seed, num_clips=num_clips, files_version=FILES_VERSION)
    return build(folder, jobs, settings=settings, annotate=annotate, workers=workers)


def render_boxes_clip(rng, split):
    """Draw a clip of actors that stay in the frame and do not touch each other.

    Args:
        rng (numpy.random.Generator): Draws everything.
        split (str): 'train' or 'test'.

    Returns:
        tuple[ndarray, list[dict]]: (T, H, W, 3) uint8 RGB; for each actor its ``appearance``, its ``motions`` (T
        names; that of frame t led from frame t - 1 to t) and its ``boxes`` (T times x1, y1, x2, y2 in pixels, x2 and
        y2 exclusive).
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
    """Write one clip of the set; the job of :func:`make_boxes`."""
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
    """Draw where an actor is, motion by motion, each from where the one before has ended.

    Args:
        actor (Actor): Its shape says how far it reaches.
        num_frames (int): T.
        others (list[dict]): Tracks to keep clear of.
        rng (numpy.random.Generator): Draws everything.

    Returns:
        dict | None: ``poses`` (T, 4) x, y, scale, angle; ``motions`` (T names); ``radius`` (T,) of a circle around the
        actor, in pixels. None if the actor has been cornered.
    """
    height, width = SIZE
    reach = np.linalg.norm(actor.polygon, axis=1).max()
    pose = np.array([rng.uniform(0, width), rng.uniform(0, height), rng.uniform(*_SCALE), rng.uniform(-180, 180)])
    poses, motions = np.empty((0, 4)), []
    while len(poses) < num_frames:
        # One pose more than frames: the first is where the last motion has ended.
        length = int(rng.integers(_MOTION_SECONDS[0] * FPS, _MOTION_SECONDS[1] * FPS + 1)) + 1
        # Turns need no space and would be the rule, so what the actor has done least of is tried first.
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
    """The same motion as a path's, (T, 4), from another first pose."""
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
    """Whether an actor that takes these poses from frame ``first`` on stays in the frame and clear of the others."""
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
    """Boxes, actions and proposals of each keyframe, as :func:`write_ava` takes them."""
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
    """A box in pixels as shares of the frame's width and height."""
    height, width = SIZE
    return [float(edge / side) for edge, side in zip(box, (width, height, width, height), strict=True)]


def _draw_proposals(boxes, rng):
    """Boxes and scores that a detector might give, best first."""
    proposals = []
    for box in boxes:
        noisy = np.clip(box + rng.normal(0, 0.5, 4) / np.array(SIZE[::-1] * 2), 0, 1)
        proposals.append((noisy, rng.uniform(0.91, 1)))
    if rng.random() < 0.3:
        corner, side = rng.uniform(0, 0.7, 2), rng.uniform(0.1, 0.3, 2)
        proposals.append((np.concatenate([corner, corner + side]), rng.uniform(0.1, 0.6)))
    proposals.sort(key=lambda proposal: -proposal[1])
    return [([round(float(edge), 3) for edge in box], round(float(score), 6)) for box, score in proposals]
