"""From a video file to embeddings."""

import warnings
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from twlv_mm.encoders import get_model
from twlv_mm.video import frames_of_windows, iter_clips, open_video, sample_windows


class Embedding(NamedTuple):
    """One vector and the stretch of video that it stands for.

    Attributes:
        start (float): Seconds since the first frame.
        end (float): Seconds since the first frame.
        scope (str): 'clip' or 'video'.
        vector (ndarray): (D,) float32.
    """

    start: float
    end: float
    scope: str
    vector: np.ndarray


class Extractor:
    """An encoder and a sampling, ready to embed videos.

    Frames are resized to the encoder's resolution by their short side and cropped in the centre (assumed: the paper
    does not say); a clip's vector is the encoder's own pooling; a video's is the mean over its clips (section 2.1).

    Args:
        model (str | nn.Module): A name from :func:`twlv_mm.list_models`, or an encoder.
        weights (str, optional): Checkpoint of a model given by name. Without it the encoder is random (always the same
            one), its vectors say nothing about a video, and a warning says so.
        sampling (str): 'uniform' (one clip over the whole video) or 'multi-clip'.
        clip_seconds (float): T of 'multi-clip': length of a clip.
        stride_seconds (float, optional): T_s of 'multi-clip': from one clip's start to the next; T if None.
        num_frames (int, optional): N, frames a clip; the encoder's own number if None.
        batch_size (int): Clips that are encoded at once.
        device (str, optional): Where to encode; a GPU if there is one.

    Raises:
        ValueError: if the model or the sampling is unknown or the weights are another model's.
    """

    def __init__(
        self,
        model,
        weights=None,
        *,
        sampling='uniform',
        clip_seconds=2.0,
        stride_seconds=None,
        num_frames=None,
        batch_size=8,
        device=None,
    ):
        if isinstance(model, str):
            model = _frozen_model(model, weights)
        elif weights is not None:
            raise ValueError('weights go with a model given by name; this model is built already')
        sample_windows(np.array([[0.0, 1.0]]), sampling, clip_seconds, stride_seconds)  # refuses what it cannot sample
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        self.model = model.to(self.device).eval()
        self.sampling = sampling
        self.clip_seconds = clip_seconds
        self.stride_seconds = stride_seconds
        self.num_frames = num_frames or model.arch.num_frames
        self.batch_size = batch_size
        self._mean = torch.tensor(model.arch.mean, device=self.device).view(3, 1, 1, 1)
        self._std = torch.tensor(model.arch.std, device=self.device).view(3, 1, 1, 1)

    def __call__(self, path):
        """Embed one video.

        Args:
            path (str): A video file.

        Returns:
            tuple[list[Embedding], dict]: the clips in order of time ('multi-clip' only), then the whole video; and what
            was read: duration (seconds), num_frames (of the file), decoder.

        Raises:
            FileNotFoundError: if there is no such file.
            VideoError: if it cannot be read as a video.
        """
        with open_video(path) as reader:
            frame_times = reader.frame_times
            windows = sample_windows(frame_times, self.sampling, self.clip_seconds, self.stride_seconds)
            indices = frames_of_windows(frame_times, windows, self.num_frames)
            clips = iter_clips(reader, indices, self.model.arch.img_size)
            vectors = np.concatenate(
                [self._encode(batch) for batch in iter(lambda: list(islice(clips, self.batch_size)), [])]
            )
            info = dict(duration=float(frame_times[-1, 1]), num_frames=len(frame_times), decoder=reader.decoder)
        embeddings = []
        if self.sampling == 'multi-clip':
            embeddings = [Embedding(float(s), float(e), 'clip', v) for (s, e), v in zip(windows, vectors, strict=True)]
        return [*embeddings, Embedding(0.0, info['duration'], 'video', vectors.mean(axis=0))], info

    def _encode(self, clips):
        """M clips of (N, H, W, 3) uint8 -> (M, D)."""
        video = torch.from_numpy(np.stack(clips)).to(self.device).permute(0, 4, 1, 2, 3)
        video = (video.float() - self._mean) / self._std
        with torch.inference_mode():
            return self.model.embed(video).float().cpu().numpy()


def _frozen_model(name, weights):
    if weights is None:
        warnings.warn(f'{name} has no weights: its embeddings are those of a random encoder', stacklevel=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # so that two runs without weights agree
        return get_model(name, weights=weights, frozen=True, allow_random=weights is None)


def embed(path, model='twlv_base', weights=None, sampling='uniform', clip_seconds=2.0, stride_seconds=None, **options):
    """Embed a video file.

    Args:
        path (str): A video file.
        model (str | nn.Module): A name from :func:`twlv_mm.list_models`, or an encoder.
        weights (str, optional): Checkpoint of a model given by name; without it the encoder is random, with a warning.
        sampling (str): 'uniform' (Uniform Embedding) or 'multi-clip' (Multi-Clip Embedding).
        clip_seconds (float): T of 'multi-clip'.
        stride_seconds (float, optional): T_s of 'multi-clip'; T if None.
        **options: Further arguments of :class:`Extractor`. For many videos, build one of those.

    Returns:
        list[Embedding]: ``(start, end, scope, vector)``; with 'multi-clip' the clips come first, in order of time; the
        last one is the whole video.

    Raises:
        FileNotFoundError: if there is no such file.
        VideoError: if it cannot be read as a video.
        ValueError: if the model or sampling is unknown, or the weights are another model's.

    Source: paper section 2.1, Figure 4.
    """
    extractor = Extractor(
        model, weights, sampling=sampling, clip_seconds=clip_seconds, stride_seconds=stride_seconds, **options
    )
    return extractor(path)[0]
