"""Frames through TorchCodec."""

import numpy as np
import torchcodec
from torchcodec.decoders import VideoDecoder

from .packets import index_frames
from .reader import Reader, VideoError, reason

TOLERANCE = 1e-3  # seconds; TorchCodec gives time stamps as float64


class TorchCodecReader(Reader):
    """Frames through TorchCodec, decoded by one thread on the CPU.

    TorchCodec uses the machine's own FFmpeg, whose shared libraries must be installed. 0.13.0 is the last release on
    PyPI that loads with a torch without CUDA (tried with torch 2.13.0); from 0.14 on the wheels there need CUDA 13.

    FFmpeg conceals what it cannot decode and TorchCodec does not tell. What is noticed is what :func:`index_frames`
    sees in the packets, what stops the decoder, and frames with another time stamp than the file announces; other
    bytes inside one frame can be wrong in silence. :class:`PyAVReader` notices most of these.

    Args:
        path (str): A video file.

    Raises:
        VideoError: if TorchCodec cannot read the file, or it is damaged.
    """

    def __init__(self, path):
        self.path = path
        self.decoder = f'torchcodec {torchcodec.__version__}'
        index = index_frames(path)
        self.frame_times = index.frame_times
        try:
            self._decoder = VideoDecoder(
                path, stream_index=index.stream, dimension_order='NHWC', num_ffmpeg_threads=1, device='cpu'
            )
        except (RuntimeError, ValueError) as error:
            raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error
        shown, counted = len(self.frame_times), len(self._decoder)
        if shown != counted:
            raise VideoError(f"{path} shows {shown} frames and TorchCodec counts {counted}: use decoder='av'")
        self._start = self._decoder.metadata.begin_stream_seconds

    def _decode(self, wanted):
        try:
            batch = self._decoder.get_frames_at(wanted.tolist())
        except (RuntimeError, IndexError, ValueError) as error:
            raise VideoError(f'{self.path}: frames {wanted[0]} to {wanted[-1]}: {reason(error)}') from error
        late = np.abs(batch.pts_seconds.numpy() - self._start - self.frame_times[wanted, 0]) > TOLERANCE
        if late.any():
            raise VideoError(f'{self.path}: frame {wanted[late][0]} is missing or out of place')
        return batch.data.numpy()

    def close(self):
        """See the base class."""
        self._decoder = None
