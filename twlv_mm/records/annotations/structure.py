"""What annotation tools say of videos, in one form: segments in seconds, boxes at moments in shares of the picture."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .. import checks

MAX_FRAME = 10_000_000  # four days at 30 a second
MAX_BOXES = 2_000_000
MAX_NAME_BYTES = 240  # with the ending of what is written
# Names may have dots, and need not have an ending.
ENDINGS = {'mp4', 'm4v', 'mov', 'qt', 'avi', 'mkv', 'webm', 'mpg', 'mpeg', 'm2v', 'wmv', 'asf', 'flv', 'ts', 'mts'}
ENDINGS |= {'m2ts', 'mxf', '3gp', 'ogv', 'gif', 'divx', 'vob', 'y4m', 'dv', 'f4v'}
EDGE = 1e-3  # of the picture, by which a box may stick out without a word


class Segment(NamedTuple):
    """An action from start to end, in seconds since the first frame."""

    label: str
    start: float
    end: float
    score: float | None = None


class Box(NamedTuple):
    """A box with an action at a moment.

    Attributes:
        label (str): The action.
        time (float): Seconds since the first frame; in the middle of the frame, where a frame is meant.
        corners (tuple[float, float, float, float]): x1, y1, x2, y2, shares of the picture's width and height.
        track (str | None): Whose box it is.
        score (float | None): From 0 to 1.
    """

    label: str
    time: float
    corners: tuple
    track: str | None = None
    score: float | None = None


@dataclass
class VideoAnnotations:
    """The annotations of a video.

    Attributes:
        file (str): Name of its file, with its ending if the annotations have it.
        segments (list[Segment]): In order of time.
        boxes (list[Box]): In order of time.
        lifetimes (list[Segment]): From when to when the tracks of ``boxes`` are there, where frames follow each other.
        duration (float | None): Seconds, where it is known.
        size (tuple[float, float] | None): Width and height in pixels, where it is known.
    """

    file: str
    segments: list = field(default_factory=list)
    boxes: list = field(default_factory=list)
    lifetimes: list = field(default_factory=list)
    duration: float | None = None
    size: tuple | None = None

    @property
    def video_id(self):
        """str: The name without the ending of a video."""
        stem, _, ending = self.file.rpartition('.')
        return stem if stem and ending.lower() in ENDINGS else self.file


class Clock:
    """From frames to seconds and back.

    Args:
        frame_times (Sequence[tuple[float, float]], optional): Start and end of every frame, as the video has them.
        fps (float, optional): Frames a second, where the times are not known.
    """

    def __init__(self, frame_times=None, fps=None):
        self._times, self._fps = frame_times, fps
        self._starts = None if frame_times is None else [start for start, _ in frame_times]

    def span(self, frame, where):
        """Start and end of a frame, from 0, in seconds.

        Raises:
            ValueError: if the video has no such frame.
        """
        if self._times is None:
            return frame / self._fps, (frame + 1) / self._fps
        if frame >= len(self._times):
            raise ValueError(f'{where}: frame {frame} is not in the video, which has {len(self._times)}')
        return tuple(map(float, self._times[frame]))

    def count(self, duration=None):
        """How many frames the video has, as far as its times or its duration in seconds say it; else None."""
        if self._times is not None:
            return len(self._times)
        return None if duration is None else max(round(duration * self._fps), 1)

    def frame(self, seconds):
        """The frame that is shown at a time, from 0."""
        if self._times is None:
            return max(int(seconds * self._fps + 1e-6), 0)
        return max(bisect_right(self._starts, seconds + 1e-6) - 1, 0)


class Media(NamedTuple):
    """What the file of a video says: its name, seconds, (width, height) and times of frames."""

    file: str
    duration: float
    size: tuple
    clock: Clock


@dataclass
class Import:
    """What an import knows besides the files, and what it has to say of them.

    Args:
        media (Callable[[str], Media | None]): Name of a video in the annotations -> its file, where that is at hand.
        fps (float, optional): Frames a second of all videos whose file is not at hand.
        label_from (str, optional): Tier or attribute whose values are the labels.
    """

    media: Callable = lambda name: None
    fps: float | None = None
    label_from: str | None = None
    said: dict = field(default_factory=dict)

    def note(self, sentence, where):
        """Say something of a place in a file."""
        self.said.setdefault(sentence, []).append(str(where))

    def notes(self):
        """list[str]: What is to be said, with how often and the first place."""
        return [f'{len(places)} x {sentence}; first: {places[0]}' for sentence, places in self.said.items()]

    def clock(self, file, where):
        """The clock of a video whose frames are numbered.

        Args:
            file (str): Its name.
            where (str): Who numbers them.

        Raises:
            ValueError: if nothing says when frames are.
        """
        media = self.media(file)
        if media is not None:
            return media.clock
        if self.fps is None:
            raise ValueError(
                f'{where} numbers the frames of {file}, and nothing says how many there are in a second: give --videos '
                '(the folder of the videos), or --fps'
            )
        return Clock(fps=self.fps)

    def video(self, file, duration=None, size=None):
        """Annotations of a video, with what its file says of it."""
        media = self.media(file)
        if media is None:
            return VideoAnnotations(file, duration=duration, size=size)
        return VideoAnnotations(media.file, duration=media.duration, size=media.size)

    def segment(self, video, label, start, end, where, score=None, lifetime=False):
        """Add a segment, unless it has no length, which is said."""
        checks.name(label, f'{where}, the label')
        start, end = checks.time(start, f'{where}, its start'), checks.time(end, f'{where}, its end')
        if start > end:
            raise ValueError(f'{where}: {label!r} from {start:g} to {end:g} s does not end after it starts')
        if start == end:
            self.note('a segment without length is left out', where)
            return
        if video.duration is not None and end > video.duration + 0.5:
            self.note('a segment ends after its video', where)
        (video.lifetimes if lifetime else video.segments).append(Segment(label.strip(), start, end, score))

    def box(self, video, label, time, corners, where, track=None, score=None):
        """Add a box, cut to the picture; one without an area is left out, which is said."""
        checks.name(label, f'{where}, the label')
        time = checks.time(time, f'{where}, its time')
        corners = [checks.number(edge, f'{where}, its box', least=-1e4, most=1e4) for edge in corners]
        inside = tuple(min(max(edge, 0.0), 1.0) for edge in corners)
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            self.note('a box without an area in the picture is left out', where)
            return
        if max(abs(one - other) for one, other in zip(corners, inside, strict=True)) > EDGE:
            self.note('a box sticks out of the picture and is cut', where)
        if len(video.boxes) >= MAX_BOXES:
            raise ValueError(f'{where}: {video.file} has more than {MAX_BOXES:,} boxes')
        video.boxes.append(Box(label.strip(), time, inside, track, score))


def file_name(text, where):
    """Name of a file in a path or an address, of whatever system.

    Args:
        text (str): The path.
        where (str): Where it stands.

    Returns:
        str: what stands behind the last slash.
    """
    checks.name(text, where)
    name = checks.name(text.replace('\\', '/').rpartition('/')[2], where)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f'{where}: {checks.shown(name)} is longer than the name of a file can be')
    return name
