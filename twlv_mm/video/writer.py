"""Write frames as a video file, with the same bytes each time."""

from itertools import chain

import av

from twlv_mm.records import writing

# One thread, because slices depend on their number; bitexact below, because FFmpeg would write its version.
_OPTIONS = {'qp': '22', 'preset': 'veryfast', 'threads': '1'}


def write_video(path, frames, fps=8, key_interval=1):
    """Encode frames as H.264 in MP4; the file appears under its name only once it is complete.

    Args:
        path (str): An .mp4 file in an existing folder.
        frames (Iterable[ndarray]): (H, W, 3) uint8 RGB each, or all of them as (T, H, W, 3); H and W even.
        fps (int | Fraction): Frames per second.
        key_interval (int): Distance of key frames. With 1, a frame's quality does not depend on the frames before it,
            so that the order of frames leaves no other trace; with more, the file is several times smaller.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None or first.shape[0] % 2 or first.shape[1] % 2:
        raise ValueError(f'{path}: H.264 needs frames of even height and width, not {getattr(first, "shape", "none")}')
    with (
        writing(path) as file,
        av.open(file, 'w', format='mp4', options={'fflags': '+bitexact'}) as container,
    ):
        stream = container.add_stream('libx264', rate=fps, options={**_OPTIONS, 'g': str(key_interval)})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = 'yuv420p'
        for frame in chain([first], frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())
