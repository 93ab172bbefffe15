"""An mmaction2 transform that decodes a few seconds of a long video, not all of it."""

import av
import numpy as np
from mmcv.transforms import BaseTransform

from twlv_mm.registry import TRANSFORMS

from .reader import VideoError, reason
from .sampling import TOLERANCE


@TRANSFORMS.register_module()
class SeekDecode(BaseTransform):
    """Decode the frames that are on screen at some instants, from the key frame before the first to the last.

    Uses PyAV. Where a segment goes on after the video's end, the last frame repeats.

    Required keys: filename, instants (n,) in seconds since the first frame. Added keys: imgs, a list of n (H, W, 3)
    uint8 RGB arrays, upright; img_shape, original_shape. Modified keys, where there are any: gt_bboxes and proposals
    (..., 4), from shares of the picture's sides to pixels, as mmaction2's decoders do.

    Raises:
        VideoError: if the video cannot be decoded, has no time stamps, or ends before the first instant.
    """

    def transform(self, results):
        """See the class."""
        path, instants = results['filename'], results['instants']
        order = np.argsort(instants, kind='stable')
        try:
            pictures = _frames_at(path, instants[order])
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error
        images = [None] * len(instants)
        for place, picture in zip(order, pictures, strict=True):
            images[place] = picture
        height, width = images[0].shape[:2]
        results.update(imgs=images, img_shape=(height, width), original_shape=(height, width))
        for key in ('gt_bboxes', 'proposals'):
            if key in results:
                results[key] = (results[key] * np.array([width, height, width, height])).astype(np.float32)
        return results


def _frames_at(path, instants):
    """The (H, W, 3) frames on screen at ascending instants."""
    pictures, shown, end = [], None, 0.0
    for start, frame in decode_from(path, instants[0]):
        while shown is not None and instants[len(pictures)] + TOLERANCE < start:
            pictures.append(upright(shown))
            if len(pictures) == len(instants):
                return pictures
        shown, end = frame, start + float(frame.duration * frame.time_base if frame.duration else 1 / 30)
    if end + TOLERANCE < instants[0]:
        raise VideoError(f'{path} ends before {instants[0]:.3f} s: is the annotation of another version of the video?')
    return pictures + [upright(shown) for _ in instants[len(pictures) :]]


def decode_from(path, instant):
    """Decode a video from the key frame before an instant on.

    Args:
        path (str): A video file.
        instant (float): Seconds since the first frame.

    Yields:
        tuple[float, av.VideoFrame]: start in seconds since the first frame, and frame, of all frames from one on screen
        at the instant, or earlier.

    Raises:
        VideoError: if the video has no time stamps, or a frame is damaged.
        av.FFmpegError: if it cannot be decoded.
    """
    for seeking in (True, False):
        with av.open(path) as container:
            stream, first = first_stamp(container, path)
            stream.codec_context.thread_count = 1
            if seeking:
                container.seek(first + int(instant / stream.time_base), stream=stream)
            sought = False
            for frame in container.decode(stream):
                if frame.pts is None:
                    raise VideoError(f'{path} has no time stamps, so segments of it cannot be found: convert it to MP4')
                if frame.is_corrupt:
                    raise VideoError(f'{path}: the frame at {frame.time:.3f} s is damaged')
                start = float((frame.pts - first) * stream.time_base)
                # Containers without an index, such as MPEG-TS, are sought by guessing, which may lead too far.
                if seeking and not sought and start > instant + TOLERANCE:
                    break
                sought = True
                yield start, frame
            if sought:
                return


def first_stamp(container, path):
    """The video stream of an open container, and the time stamp that its times count from."""
    stream = container.streams.best('video')
    if stream is None:
        raise VideoError(f'{path} has no video stream')
    return stream, stream.start_time or 0


def upright(frame):
    """The (H, W, 3) uint8 picture of a decoded frame, as it is to be seen."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format='rgb24'), frame.rotation // 90))
