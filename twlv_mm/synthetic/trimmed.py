"""Trimmed clips of one actor, whose appearance and motion are drawn independently."""

from pathlib import Path

from twlv_mm.records import write_text
from twlv_mm.video import write_video

from .build import build, check_counts, item_jobs, item_rng
from .scene import APPEARANCES, MOTIONS, SPLITS, Actor, background, motion_path

FPS = 8
NUM_FRAMES = 16
SIZE = (64, 64)
# List file -> class names, and the labels of a clip in a line.
CLASSES = dict(appearance=APPEARANCES, motion=MOTIONS, both=APPEARANCES + MOTIONS)
LABELS = dict(appearance=('appearance',), motion=('motion',), both=('appearance', 'motion'))


def make_trimmed(folder, seed=0, num_train=3000, num_test=600, workers=None):
    """Write two-second clips and mmaction2's list files for both labels; returns whether anything had to be written.

    ``<split>/<number>.mp4``; ``<split>_<label>.txt`` with lines ``<split>/<number>.mp4 <class>``, where label is
    appearance or motion; class names in ``classes_<label>.txt``, one per line. ``<split>_both.txt`` has both classes in
    a line, motions numbered after appearances, for training on both at once.

    Args:
        folder (str): Where to write.
        seed (int): The same seed gives the same bytes.
        num_train (int): Training videos.
        num_test (int): Test videos.
        workers (int, optional): Processes; see :func:`twlv_mm.synthetic.build`.

    Raises:
        FolderError: if the folder holds something else.
    """
    check_counts(num_train=num_train, num_test=num_test)
    folder = Path(folder)
    jobs = item_jobs(write_clip, folder, seed, num_train, num_test)

    def annotate(clips):
        for label, names in CLASSES.items():
            write_text(folder / f'classes_{label}.txt', ''.join(f'{name}\n' for name in names))
            for split in SPLITS:
                lines = [
                    ' '.join([clip['file'], *(str(names.index(clip[key])) for key in LABELS[label])]) + '\n'
                    for clip in clips
                    if clip['split'] == split
                ]
                write_text(folder / f'{split}_{label}.txt', ''.join(lines))

    settings = dict(set='trimmed', seed=seed, num_train=num_train, num_test=num_test)
    return build(folder, jobs, settings=settings, annotate=annotate, workers=workers)


def render_clip(rng, split, appearance=None, motion=None, *, num_frames=NUM_FRAMES, size=SIZE):
    """Draw a clip; whatever is not given is random.

    Returns:
        tuple[ndarray, str, str]: (T, H, W, 3) uint8 RGB, appearance, motion.
    """
    appearance = appearance or APPEARANCES[rng.integers(len(APPEARANCES))]
    motion = motion or MOTIONS[rng.integers(len(MOTIONS))]
    actor = Actor(appearance, rng, split)
    frames = background(rng, split, size, num_frames)
    path = motion_path(motion, num_frames, rng, size)
    for frame, x, y, scale, angle in zip(frames, *path.values(), strict=True):
        actor.draw(frame, x, y, scale, angle)
    return frames, appearance, motion


def write_clip(folder, seed, split, index):
    frames, appearance, motion = render_clip(item_rng(seed, split, index), split)
    file = f'{split}/{index:05d}.mp4'
    (Path(folder) / split).mkdir(exist_ok=True)
    write_video(Path(folder) / file, frames, FPS)
    return dict(file=file, split=split, appearance=appearance, motion=motion)
