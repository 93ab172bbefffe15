"""The common form of annotations: segments in seconds, boxes at points in time in fractions of the frame."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from twlv_mm.records import checks

MAX_FRAME = 10_000_000  # four days at 30 a second
MAX_BOXES = 2_000_000
MAX_NAME_BYTES = 240  # leaves room for the extension of what is written
# Names may contain dots without having an extension.
ENDINGS = {'mp4', 'm4v', 'mov', 'qt', 'avi', 'mkv', 'webm', 'mpg', 'mpeg', 'm2v', 'wmv', 'asf', 'flv', 'ts', 'mts'}
ENDINGS |= {'m2ts', 'mxf', '3gp', 'ogv', 'gif', 'divx', 'vob', 'y4m', 'dv', 'f4v'}
EDGE = 1e-3  # fraction of the frame by which a box may stick out without a note


class Segment(NamedTuple):
    """An action from start to end, in seconds from the first frame."""

    label: str
    start: float
    end: float
    score: float | None = None


class Box(NamedTuple):
    """A box with an action at one point in time."""

    label: str  # the action
    time: float  # seconds from the first frame; of a frame, its middle
    corners: tuple[float, float, float, float]  # x1, y1, x2, y2 as fractions of the frame's width and height
    track: str | None = None  # id of the track
    score: float | None = None  # from 0 to 1


@dataclass
class VideoAnnotations:
    """The annotations of a video."""

    file: str  # file name, with extension if the annotations have it
    segments: list[Segment] = field(default_factory=list)  # in order of time
    boxes: list[Box] = field(default_factory=list)  # in order of time
    lifetimes: list[Segment] = field(default_factory=list)  # runs of frames in which the tracks of ``boxes`` exist
    duration: float | None = None  # seconds
    size: tuple[float, float] | None = None  # width and height in pixels

    @property
    def video_id(self):
        """str: The file name without a video's extension."""
        stem, _, ending = self.file.rpartition('.')
        return stem if stem and ending.lower() in ENDINGS else self.file


class Clock:
    """Conversion between frame numbers and seconds.

    Args:
        frame_times (Sequence[tuple[float, float]], optional): Start and end of every frame.
        fps (float, optional): Frame rate, if the times are unknown.
    """

    def __init__(self, frame_times=None, fps=None):
        self._times, self._fps = frame_times, fps
        self._starts = None if frame_times is None else [start for start, _ in frame_times]

    def span(self, frame, where):
        """Start and end in seconds of a frame, from 0."""
        if self._times is None:
            return frame / self._fps, (frame + 1) / self._fps
        if frame >= len(self._times):
            raise ValueError(f'{where}: frame {frame} is not in the video, which has {len(self._times)}')
        return tuple(map(float, self._times[frame]))

    def count(self, duration=None):
        """Number of frames, by the times or the duration in seconds; None if unknown."""
        if self._times is not None:
            return len(self._times)
        return None if duration is None else max(round(duration * self._fps), 1)

    def frame(self, seconds):
        """The frame, from 0, that is shown at a time in seconds."""
        if self._times is None:
            return max(int(seconds * self._fps + 1e-6), 0)
        return max(bisect_right(self._starts, seconds + 1e-6) - 1, 0)


class Media(NamedTuple):
    """Facts about a video file: name, seconds, (width, height) and frame times."""

    file: str
    duration: float
    size: tuple
    clock: Clock


@dataclass
class Import:
    """What an import knows besides the annotation files, and the notes it collects.

    Args:
        media (Callable[[str], Media | None]): Video name in the annotations -> its file, if available.
        fps (float, optional): Frame rate of videos whose file is not available.
        label_from (str, optional): Tier or attribute whose values are the labels.
    """

    media: Callable = lambda name: None
    fps: float | None = None
    label_from: str | None = None
    collected: dict = field(default_factory=dict)

    def note(self, sentence, where):
        """Collect a note about a place in a file."""
        self.collected.setdefault(sentence, []).append(str(where))

    def notes(self):
        """list[str]: Each note once, with its count and first place."""
        return [f'{len(places)} x {sentence}; first: {places[0]}' for sentence, places in self.collected.items()]

    def clock(self, file, where):
        """Clock of a video (file name) whose frames ``where`` numbers."""
        media = self.media(file)
        if media is not None:
            return media.clock
        if self.fps is None:
            raise ValueError(
                f'{where} numbers the frames of {file}, whose frame rate is unknown: give --videos (the folder of the '
                'videos), or --fps'
            )
        return Clock(fps=self.fps)

    def video(self, file, duration=None, size=None):
        """Empty annotations of a video, with duration and size from its file if available."""
        media = self.media(file)
        if media is None:
            return VideoAnnotations(file, duration=duration, size=size)
        return VideoAnnotations(media.file, duration=media.duration, size=media.size)

    def segment(self, video, label, start, end, where, score=None, lifetime=False):
        """Add a segment; one without length is noted and left out."""
        checks.name(label, f'{where}, the label')
        start, end = checks.time(start, f'{where}, its start'), checks.time(end, f'{where}, its end')
        if start > end:
            raise ValueError(f'{where}: {label!r} from {start:g} to {end:g} s ends before it starts')
        if start == end:
            self.note('a segment of zero length is left out', where)
            return
        if video.duration is not None and end > video.duration + 0.5:
            self.note('a segment ends after its video', where)
        (video.lifetimes if lifetime else video.segments).append(Segment(label.strip(), start, end, score))

    def box(self, video, label, time, corners, where, track=None, score=None):
        """Add a box, clipped to the frame; one without an area there is noted and left out."""
        checks.name(label, f'{where}, the label')
        time = checks.time(time, f'{where}, its time')
        corners = [checks.number(edge, f'{where}, its box', least=-1e4, most=1e4) for edge in corners]
        inside = tuple(min(max(edge, 0.0), 1.0) for edge in corners)
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            self.note('a box with no area inside the frame is left out', where)
            return
        if max(abs(one - other) for one, other in zip(corners, inside, strict=True)) > EDGE:
            self.note('a box extends beyond the frame and is cut', where)
        if len(video.boxes) >= MAX_BOXES:
            raise ValueError(f'{where}: {video.file} has more than {MAX_BOXES:,} boxes')
        video.boxes.append(Box(label.strip(), time, inside, track, score))


def file_name(text, where):
    """File name at the end of a path or URL, of any system."""
    checks.name(text, where)
    name = checks.name(text.replace('\\', '/').rpartition('/')[2], where)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f'{where}: {checks.shown(name)} is longer than a file name can be')
    return name
