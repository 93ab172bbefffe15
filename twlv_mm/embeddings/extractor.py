"""Embed a single video, and the encoder behind it."""

import os
import warnings
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from twlv_mm.encoders import POOLINGS, encoder_in, get_model, read_config
from twlv_mm.encoders.precision import PRECISIONS, has_bf16_units
from twlv_mm.video import ClipSampling, VideoError, clips_of_frames, open_video, sample_windows, stream_frames


class Embedding(NamedTuple):
    """One vector and the time span it represents."""

    start: float  # seconds since the first frame
    end: float  # seconds since the first frame
    scope: str  # 'clip' or 'video'
    vector: np.ndarray  # (D,) float32


class Extractor:
    """An encoder and a sampling, ready to embed videos.

    Frame count, resolution, resizing, mean and std are the architecture's: the short side is resized and the centre
    cropped (assumed for TWLV-I; the paper does not say), or frames are squashed for DFN. A clip's vector is the
    encoder's own pooling by default; a video's is the mean over its clips (section 2.1).

    Args:
        model (str | nn.Module | None): SOURCE, as for :func:`twlv_mm.describe`, or an encoder; None for the small one
            of this package, trained on rendered shapes, with a warning.
        weights (str, optional): Checkpoint of a model given by name. Without it the encoder is random (with a fixed
            seed), with a warning.
        sampling (str): 'multi-clip', or 'uniform' (one clip over the whole video).
        clip_seconds (float, optional): T of 'multi-clip', the length of a clip; 2 if None.
        stride_seconds (float, optional): T_s of 'multi-clip', from one clip's start to the next; T if None.
        num_frames (int, optional): N, frames per clip; the encoder's own number if None.
        pooling (str, optional): 'mean' or 'class_token'; the architecture's own if None.
        precision (str): 'fp32', or with autocast 'bf16' or, on a GPU, 'fp16'.
        batch_size (int): Clips per batch.
        device (str, optional): Where to encode; a GPU if there is one.
    """

    def __init__(
        self,
        model,
        weights=None,
        *,
        sampling='multi-clip',
        clip_seconds=None,
        stride_seconds=None,
        num_frames=None,
        pooling=None,
        precision='fp32',
        batch_size=8,
        device=None,
    ):
        for name, number in (('num_frames', num_frames), ('batch_size', batch_size)):
            if number is not None and number < 1:
                raise ValueError(f'{name}={number}: must be 1 or more')
        if model is None:
            if weights is not None:
                raise ValueError('weights were given without a model: name the encoder they belong to')
            model, weights = 'twlv_small_synthetic', 'official'
            warnings.warn(
                'no model was given: using the small encoder of this package, which was trained on rendered shapes '
                'only. For real videos give a real encoder with its weights',
                stacklevel=3,
            )
        if isinstance(model, str):
            model = frozen_encoder(model, weights)
        elif weights is not None:
            raise ValueError('weights go with a model given by name; this model is already built')
        if sampling == 'uniform' and (clip_seconds, stride_seconds) != (None, None):
            raise ValueError(
                "clip_seconds and stride_seconds belong to 'multi-clip'; 'uniform' is one clip, the whole video"
            )
        clip_seconds = 2.0 if clip_seconds is None else clip_seconds
        sample_windows(np.array([[0.0, 1.0]]), sampling, clip_seconds, stride_seconds)  # refuses what it cannot sample
        poolings = [name for name in POOLINGS if name != 'frame' and (name != 'class_token' or model.spec.class_token)]
        for value, known, what in ((pooling, [None, *poolings], 'pooling'), (precision, PRECISIONS, 'precision')):
            if value not in known:
                raise ValueError(f'{model.spec.name} has no {what} {value!r}; choose from {", ".join(map(str, known))}')
        model.eval()
        self._overrides = getattr(model, 'overrides', '')
        if hasattr(model, 'fuse'):  # faster CNN with the same outputs
            model = model.fuse(PRECISIONS[precision])
        self.model = model
        self.sampling = ClipSampling(
            sampling,
            clip_seconds,
            clip_seconds if stride_seconds is None else stride_seconds,
            num_frames or model.spec.num_frames,
            model.spec.img_size,
            model.spec.resize,
            model.spec.interpolation,
        )
        self.pooling = pooling
        self.precision = precision
        self.batch_size = batch_size
        self.to(device or ('cuda' if torch.cuda.is_available() else 'cpu'))

    def to(self, device):
        """Move the encoder to a device; returns this extractor."""
        self.device = torch.device(device)
        if self.precision == 'fp16' and self.device.type == 'cpu':
            raise ValueError("precision='fp16' is for GPUs: use 'bf16' or 'fp32' on a CPU")
        self.model.to(self.device)
        mean, std = self.model.spec.mean, self.model.spec.std
        if self.precision == 'bf16' and not has_bf16_units(self.device):
            warnings.warn(
                f'this {self.device.type} seems to have no bf16 units and emulates bf16, which is slower than fp32, on '
                'CPUs without AVX-512 many times',
                stacklevel=3,
            )
        self._mean, self._std = (torch.tensor(values, device=self.device).view(3, 1, 1, 1) for values in (mean, std))
        return self

    @classmethod
    def from_config(
        cls, path, weights=None, *, sampling='multi-clip', clip_seconds=None, stride_seconds=None, **options
    ):
        """Extractor for the encoder of a config, with its ``clip_seconds`` and ``stride_seconds`` unless given.

        Args:
            path (str): A config, as for :func:`twlv_mm.encoders.encoder_in`.
            weights (str, optional): A checkpoint; the config's ``encoder_weights`` if None.
            sampling, clip_seconds, stride_seconds, **options: As for the class.
        """
        cfg = read_config(path)
        source, overrides = encoder_in(cfg, path)
        backbone = (cfg.get('model') or {}).get('backbone') or {}
        weights = weights or cfg.get('encoder_weights') or backbone.get('weights')
        if sampling == 'multi-clip':
            clip_seconds = cfg.get('clip_seconds') if clip_seconds is None else clip_seconds
            stride_seconds = cfg.get('stride_seconds') if stride_seconds is None else stride_seconds
        return cls(
            frozen_encoder(source, weights, **overrides),
            sampling=sampling,
            clip_seconds=clip_seconds,
            stride_seconds=stride_seconds,
            **options,
        )

    @property
    def settings(self):
        """dict: What a vector depends on besides its video, as plain values."""
        named = self.sampling._asdict()
        named['frames_per_clip'] = named.pop('num_frames')
        # Embeddings made before these two were configurable do not have them.
        for name in ('resize', 'interpolation'):
            if named[name] == ClipSampling._field_defaults[name]:
                del named[name]
        if self.sampling.sampling == 'uniform':
            del named['clip_seconds'], named['stride_seconds']
        if self.model.spec.source != self.model.spec.name:  # not one of list_models()
            named['source'] = self.model.spec.source
        if self._overrides:
            named['overrides'] = self._overrides
        return dict(
            model=self.model.spec.name,
            weights_sha256=self.model.weights_sha256,
            **named,
            pooling=self.pooling or self.model.spec.pooling,
            precision=self.precision,
        )

    def __call__(self, path, decoder=None):
        """Embed one video in this process.

        Args:
            path (str): A video file.
            decoder (str, optional): As for :func:`twlv_mm.video.open_video`.

        Returns:
            tuple[list[Embedding], dict]: the clips in order of time ('multi-clip' only), then the whole video; duration
            (seconds), num_frames (of the file) and decoder.

        Raises:
            VideoError: if the video cannot be read, or the encoder produces NaN or Inf.
        """
        with open_video(path, decoder) as reader:
            stream = stream_frames(reader, self.sampling)
            clips = clips_of_frames(stream.chunks, stream.indices)
            batches = iter(lambda: list(islice(clips, self.batch_size)), [])
            vectors = np.concatenate([self.encode(np.stack(batch)).cpu().numpy() for batch in batches])
        if fault := not_finite(vectors, stream.windows):
            raise VideoError(f'{path}: {fault}')
        embeddings = []
        if self.sampling.sampling == 'multi-clip':
            windows = stream.windows.tolist()
            embeddings = [Embedding(start, end, 'clip', v) for (start, end), v in zip(windows, vectors, strict=True)]
        whole = Embedding(0.0, stream.duration, 'video', vectors.mean(axis=0))
        info = dict(duration=stream.duration, num_frames=stream.num_frames, decoder=stream.decoder)
        return [*embeddings, whole], info

    def encode(self, clips):
        """Encode clips: (M, N, H, W, 3) uint8 ndarray -> (M, D) tensor on the device."""
        video = torch.from_numpy(clips).to(self.device).permute(0, 4, 1, 2, 3)
        video = (video.float() - self._mean) / self._std
        autocast = torch.autocast(self.device.type, PRECISIONS[self.precision], enabled=self.precision != 'fp32')
        with torch.inference_mode(), autocast:
            return self.model.embed(video, self.pooling).float()


def not_finite(vectors, windows):
    """Message on vectors (M, D) that are not finite, with their windows (M, 2) in seconds; None if all are."""
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if not len(broken):
        return None
    start, end = windows[broken[0]]
    return (
        f'the encoder produced NaN or Inf for {len(broken)} of {len(vectors)} clips, the first from {start:g} to '
        f'{end:g} s: check its weights, or compute in fp32'
    )


def frozen_encoder(name, weights, **overrides):
    """A frozen encoder; without weights a random one with a fixed seed, and a warning.

    Args:
        name (str): SOURCE, as for :func:`twlv_mm.get_model`.
        weights (str | None): A checkpoint; None for the source's own.
        **overrides: Those of :func:`twlv_mm.get_model`.
    """
    encoder = _build(name, weights, overrides)
    if encoder.is_random:
        warnings.warn(f'{name} has no weights: its embeddings come from a random encoder', stacklevel=4)
    return encoder


def chosen_encoder(encoder, source, remedy):
    """The frozen encoder that the ``extraction`` of a config asks for; random only with ``allow_random``.

    Args:
        encoder (dict): source, weights, overrides and ``allow_random``. Other keys of a backbone are ignored.
        source (str): What asks for it, for the message.
        remedy (str): How to give weights, for the message.
    """
    name, overrides = encoder_in(dict(model=dict(backbone=encoder)), source)
    built = _build(name, encoder.get('weights'), overrides)
    if built.is_random and not encoder.get('allow_random'):
        raise ValueError(
            f'the encoder {name} of {source} has no weights: give them {remedy}; to use a random encoder, set '
            'allow_random=True in extraction.encoder'
        )
    return built


def _build(name, weights, overrides):
    with torch.random.fork_rng():
        torch.manual_seed(0)  # so that two runs without weights agree
        return get_model(name, weights=weights, frozen=True, allow_random=weights is None, **overrides)


def embed(path, model=None, weights=None, sampling='multi-clip', clip_seconds=None, stride_seconds=None, **options):
    """Embed one or several video files.

    Args:
        path (str | Sequence[str]): A video file, or several.
        model (str | nn.Module, optional): As for :class:`Extractor`.
        weights (str, optional): Checkpoint of a model given by name; without it an encoder of the table is random, with
            a warning.
        sampling (str): 'multi-clip' (Multi-Clip Embedding) or 'uniform' (Uniform Embedding).
        clip_seconds (float, optional): T of 'multi-clip'; 2 if None.
        stride_seconds (float, optional): T_s of 'multi-clip'; T if None.
        **options: Further arguments of :class:`Extractor`. For many videos, build one of those.

    Returns:
        list[Embedding] | list[list[Embedding]]: ``(start, end, scope, vector)``: with 'multi-clip' the clips in order
        of time, then the whole video. One list per file for several files.

    Raises:
        VideoError: if a video cannot be read.

    Source: paper section 2.1, Figure 4.
    """
    extractor = Extractor(
        model, weights, sampling=sampling, clip_seconds=clip_seconds, stride_seconds=stride_seconds, **options
    )
    return extractor(path)[0] if isinstance(path, str | os.PathLike) else [extractor(one)[0] for one in path]
