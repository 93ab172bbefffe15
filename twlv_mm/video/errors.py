"""What can be wrong with a video, whichever decoder finds it."""

from contextlib import contextmanager


class VideoError(ValueError):
    """A file that is there and cannot be read as a video; the message names the file and the reason."""


class ReadFault(VideoError):
    """A video could not be read, or not to its end, or not be embedded.

    Attributes:
        stage (str): 'open' (missing, empty, not a video), 'decode' (a frame in it), 'timeout' (the decoder hung),
            'crash' (the process that decoded it died), or 'encode' (its vectors are not finite).
    """

    def __init__(self, message, stage):
        super().__init__(message)
        self.stage = stage


@contextmanager
def video_errors(path):
    """Turn whatever a decoder raises into a :class:`VideoError` that names the file.

    Decoders raise classes of many kinds: decord's limit error derives from Exception, a tag in another encoding is a
    UnicodeDecodeError. None of them may end a run over many videos.

    Args:
        path (str | Segment): What is read within.

    Raises:
        FileNotFoundError: if the file is not there.
        VideoError: if it cannot be read.
    """
    try:
        yield
    except (VideoError, FileNotFoundError):
        raise
    except Exception as error:
        raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error


def reason(error):
    """The first line of an error that says something: decord's errors end in a C++ stack trace.

    Args:
        error (Exception): From a decoder.

    Returns:
        str: one line.
    """
    if isinstance(error, MemoryError):
        return 'not enough memory'
    # PyAV's name the file again, behind what is wrong.
    text = getattr(error, 'strerror', None) or str(error)
    lines = [line.strip() for line in text.split('Stack trace')[0].splitlines() if line.strip()]
    return lines[0].split('] ')[-1] if lines else type(error).__name__
