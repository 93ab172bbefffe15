"""Errors of reading a video, whichever decoder is used."""

from contextlib import contextmanager


class VideoError(ValueError):
    """An existing file cannot be read as a video; the message names the file and the reason."""


class ReadFault(VideoError):
    """A video could not be read, or not completely, or not be embedded.

    Attributes:
        stage (str): 'open' (missing, empty, not a video), 'decode' (a frame in it), 'timeout' (the decoder hung),
            'crash' (the process that decoded it died), or 'encode' (its vectors are not finite).
    """

    def __init__(self, message, stage):
        super().__init__(message)
        self.stage = stage


@contextmanager
def video_errors(path):
    """Turn any exception of a decoder into a :class:`VideoError` that names ``path``, except FileNotFoundError.

    Decoders raise many classes: decord's limit error derives from Exception, a tag in another encoding is a
    UnicodeDecodeError. None of them may end a run over many videos.
    """
    try:
        yield
    except (VideoError, FileNotFoundError):
        raise
    except Exception as error:
        raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error


def reason(error):
    """The first informative line of a decoder's error: decord's errors end in a C++ stack trace."""
    if isinstance(error, MemoryError):
        return 'not enough memory'
    # str() of PyAV's errors also names the file.
    text = getattr(error, 'strerror', None) or str(error)
    lines = [line.strip() for line in text.split('Stack trace')[0].splitlines() if line.strip()]
    return lines[0].split('] ')[-1] if lines else type(error).__name__
