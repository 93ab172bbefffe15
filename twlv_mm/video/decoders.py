"""Open a video with PyAV or decord."""

import os

import torch  # noqa: F401  decord can hang when it is imported before torch

from .errors import VideoError, reason
from .pyav_reader import PyAVReader
from .reader import Segment

DECODERS = ('av', 'decord')


def open_video(path, decoder=None, content=None):
    """Open a video file.

    Args:
        path (str | Segment): A video file, or a segment of one.
        decoder (str, optional): 'av' (default), which reads everything that FFmpeg does, or 'decord', which does not
            read segments, nor files of which it may return wrong frames. Both give the same pixels.
        content (bytes, optional): The file's bytes, if it is a member of an archive called ``path``.

    Returns:
        Reader: also a context manager.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if the decoder does not exist, is not installed, or does not read segments.
        VideoError: if the file is empty or cannot be read as a video.
    """
    check_decoder(decoder, segments=isinstance(path, Segment))
    if not isinstance(path, Segment):
        path = os.fspath(path)
    file = path.path if isinstance(path, Segment) else path
    if content is None:
        if not os.path.isfile(file):
            raise FileNotFoundError(f'no video file at {file}')
        if os.path.getsize(file) == 0:
            raise VideoError(f'{file} is empty (0 bytes)')
    elif not content:
        raise VideoError(f'{file} is empty (0 bytes)')
    if decoder == 'decord':
        if content is not None:
            raise ValueError(f"decord does not read members of archives such as {file}: use decoder='av'")
        from .decord_reader import DecordReader

        return DecordReader(path)
    return PyAVReader(path, content)


def check_decoder(decoder, segments=False):
    """Raise ValueError if a decoder does not exist, is not installed, or does not read ``segments`` that are needed."""
    if decoder not in (None, *DECODERS):
        raise ValueError(f"unknown decoder '{decoder}'; choose one of {', '.join(DECODERS)}")
    if decoder != 'decord':
        return
    if segments:
        raise ValueError("the decoder 'decord' does not read segments of videos: choose av, or none")
    try:
        import decord  # noqa: F401
    except (ImportError, OSError) as error:
        cure = 'pip install decord (x86 only; elsewhere use av)'
        raise ValueError(f"the decoder 'decord' cannot be used ({reason(error)}): {cure}") from error
