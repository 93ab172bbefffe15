"""Open a video file: find its video stream and check that the file is complete."""

import io
import os
from contextlib import contextmanager

import av
from av.stream import Disposition

from .errors import VideoError

HEAD_BYTES = 4096
LIST_OF_FILES = b'ffconcat version 1.0'  # FFmpeg would read the files, and may do so without end
NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails


@contextmanager
def open_container(path, content=None):
    """Open a video file (or its bytes, ``content``) and find its video.

    Yields:
        tuple[av.InputContainer, av.VideoStream]: decoding with one thread. Of several video streams, the one marked as
        default, else FFmpeg's best; covers and thumbnails are ignored.

    Raises:
        VideoError: if the file is an image, has no video, is cut short, or FFmpeg has no decoder for it.
    """
    head = _head(path, content)
    if head.startswith(LIST_OF_FILES):
        raise VideoError(f'{path} is a list of files for FFmpeg, not a video')
    with _opened(path, content) as container:
        # FFmpeg opens an image as a video of one frame, with formats such as png_pipe.
        if container.format.name.endswith('_pipe'):
            raise VideoError(f'{path} is an image ({container.format.long_name}), not a video')
        stream = _video_stream(container)
        if stream is None:
            raise VideoError(f'{path} has no video stream')
        if stream.codec_context is None:
            raise VideoError(f'{path} cannot be decoded: FFmpeg has no decoder for its video')
        size = os.path.getsize(path) if content is None else len(content)
        end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
        if container.format.name == 'matroska,webm':
            end = max(end, _segment_end(head))
        if end > size:
            raise VideoError(f'{path} is cut short: it has {size} bytes, by its header or index at least {end}')
        stream.codec_context.thread_count = 1
        yield container, stream


def _opened(path, content):
    # Tags of old files can be in any encoding, which PyAV 19 accepts by itself.
    options = dict(metadata_errors='replace') if int(av.__version__.split('.')[0]) < 19 else {}
    if content is not None:
        return av.open(io.BytesIO(content), **options)
    try:
        # Without the prefix, FFmpeg reads 12:30.mp4 as a URL of the protocol 12.
        return av.open(f'file:{os.fspath(path)}', **options)
    except UnicodeEncodeError:
        return av.open(open(path, 'rb'), **options)


def _head(path, content):
    if content is not None:
        return content[:HEAD_BYTES]
    with open(path, 'rb') as file:
        return file.read(HEAD_BYTES)


def _segment_end(head):
    """Where the segment of a Matroska file ends (RFC 8794, RFC 9559), in bytes; 0 if its header does not say."""
    before, identifier, rest = head.partition(b'\x18\x53\x80\x67')
    if not rest or not rest[0]:
        return 0
    length = 9 - rest[0].bit_length()  # of the size field; its leading zeros and a one tell
    most = (1 << 7 * length) - 1
    size = int.from_bytes(rest[:length], 'big') & most
    return 0 if size == most else len(before) + len(identifier) + length + size


def _video_stream(container):
    streams = [stream for stream in container.streams.video if not stream.disposition & NO_VIDEO]
    default = [stream for stream in streams if stream.disposition & Disposition.default]
    best = container.streams.best('video')
    for choice in (default, streams):
        if choice:
            return best if best in choice else choice[0]
    return None
