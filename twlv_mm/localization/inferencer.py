"""Videos in, actions with their times and scores out."""

import os
import warnings
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.embeddings import Extractor, SharedBatches, check_comparable, frozen_encoder, shared_settings
from twlv_mm.engine import load_model, made_with, read_strip
from twlv_mm.video import ReadFault, read_ahead

from .actionformer import ActionFormer
from .annotations import read_names
from .dataset import clip_grid
from .external_scores import ExternalScores

STRIP_FRAMES = 10


class LocalizationInferencer:
    """Find when which action happens in a video: embed its clips as the config says, and run the model on them.

    ::

        inferencer = LocalizationInferencer('my_config.py', 'epoch_50.pth', encoder_weights='encoder.pth')
        result = inferencer('match.mp4')
        result['predictions'][0]  # dict(label='serving', index=7, start=12.3, end=14.1, score=0.81)
        inferencer.draw('match.mp4', result, 'match.png')

    Args:
        config (str | Path | Config): Config of an ActionFormer, with the variable ``extraction`` (see
            :func:`twlv_mm.embeddings.extract_splits`; splits and out are not used).
        checkpoint (str | Path): What a training run of that config has written.
        device (str, optional): Where to compute; a GPU if there is one.
        classes (str | Sequence[str], optional): The names of the classes, or a file of them, one a line. Without it,
            those that the checkpoint was trained on, or else numbers.
        encoder_weights (str, optional): Checkpoint of the encoder; the config's if None.

    Raises:
        FileNotFoundError: if the config, the checkpoint, the encoder's weights or the file of names is not there.
        CheckpointError: if the checkpoint is another model's.
        ValueError: if the config has no ``extraction``, not of several clips, or another model than ActionFormer; if
            the encoder has no weights and may not be random; if the checkpoint was trained on other embeddings; if a
            checkpoint cannot be read; or if there are more or fewer names than classes.
    """

    columns = ('label', 'index', 'start', 'end', 'score')

    def __init__(self, config, checkpoint, device=None, classes=None, encoder_weights=None):
        cfg = config if isinstance(config, Config) else Config.fromfile(config)
        encoder, options = _extraction(cfg, encoder_weights)
        self.model, meta = load_model(cfg, checkpoint, device)
        if not isinstance(self.model, ActionFormer):
            raise ValueError(
                f'the model of {cfg.filename} is a {type(self.model).__name__}: give the config of an ActionFormer, '
                'whose segments have classes'
            )
        self._decoder = options.pop('decoder', None)
        device = next(self.model.parameters()).device
        self.extractor = Extractor(frozen_encoder(**encoder), **options | dict(device=device))
        trained_on = meta.get('dataset_meta') or {}
        _check_embeddings(trained_on, self.extractor, checkpoint, cfg.filename)
        names = trained_on.get('classes') if classes is None else classes
        external = cfg.model.get('external')
        num_classes = ExternalScores(**external).num_classes if external else self.model.num_classes
        self.classes = _class_names(names, num_classes)
        self.pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
        settings = self.extractor.settings
        self._made_with = dict(
            model=dict(type=type(self.model).__name__),
            encoder=dict(
                name=settings['model'], **{k: settings[k] for k in ('weights_sha256', 'clip_seconds', 'stride_seconds')}
            ),
            **made_with(cfg, checkpoint),
        )

    @torch.no_grad()
    def __call__(self, path, top_k=20, min_score=0.05):
        """Find actions.

        Args:
            path (str): A video. Its name without suffix is its id in a file of external scores.
            top_k (int): Actions at most.
            min_score (float): Their least score, from 0 to 1.

        Returns:
            dict: for json: video, duration_seconds, predictions (a dict of label, index, start, end (seconds) and score
            for each action, best first), model (type), encoder (name, weights_sha256, clip_seconds, stride_seconds),
            config, checkpoint (path, sha256), decoder (name, version), versions.

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read to its end.
            ValueError: if ``top_k`` is less than 1 or ``min_score`` not from 0 to 1, if the model gives numbers that
                are not finite, or the external classifier has no scores of the video.
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it has to be 1 or more')
        if not 0 <= min_score <= 1:
            raise ValueError(f'min_score is {min_score}; it has to be from 0 to 1')
        path = os.fspath(path)
        video = self._embed(path)
        grid, count = clip_grid(path, video.times, self.extractor.sampling.stride_seconds)
        item = dict(
            video_id=Path(path).stem,
            feats=video.clips['forward'][:count],
            duration=video.duration,
            **grid,
            segments=np.zeros((0, 2), np.float32),
            labels=np.zeros(0, np.int64),
        )
        found = self.model.test_step(pseudo_collate([self.pipeline(item)]))[0].pred_instances
        found = found[found.scores >= min_score][:top_k]
        predictions = [
            dict(label=self.classes[index], index=index, start=start, end=end, score=score)
            for index, (start, end), score in zip(
                found.labels.tolist(), found.segments.tolist(), found.scores.tolist(), strict=True
            )
        ]
        decoder, _, version = video.decoder.partition(' ')
        return dict(
            video=path,
            duration_seconds=round(video.duration, 3),
            predictions=predictions,
            **self._made_with,
            decoder=dict(name=decoder, version=version or None),
        )

    def draw(self, path, result, out_png):
        """Draw when the actions of a video are, below frames of it.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out_png (str): Where to.

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read.
        """
        # Not before it draws: this chooses matplotlib's backend for files, and other tasks may need a window.
        from twlv_mm.visualization import draw_timeline

        draw_timeline(
            out_png,
            result['duration_seconds'],
            result['predictions'],
            None,
            *read_strip(path, STRIP_FRAMES),
            classes=self.classes,
            title=os.path.basename(path),
        )

    @staticmethod
    def rows(result):
        """Lines of a summary.

        Args:
            result (dict): What calling the inferencer gave.

        Returns:
            list[tuple]: the values of ``columns`` for each action.
        """
        return [
            (one['label'], one['index'], *(f'{one[name]:.3f}' for name in ('start', 'end')), f'{one["score"]:.6f}')
            for one in result['predictions']
        ]

    def _embed(self, path):
        if not os.path.isfile(path):
            raise FileNotFoundError(f'no video file at {path}')
        # As an extraction does it, which fills up batches with blank clips: vectors are the same to the bit.
        streams = read_ahead([path], self.extractor.sampling, workers=0, decoder=self._decoder)
        (video,) = SharedBatches(self.extractor)(streams)
        fault = video if isinstance(video, ReadFault) else video.fault
        if fault is not None:
            raise fault
        return video


def _extraction(cfg, encoder_weights):
    """Arguments of ``frozen_encoder`` and of :class:`Extractor`, and the decoder's name if there is one."""
    if cfg.get('extraction') is None:
        raise ValueError(
            f'{cfg.filename} does not say how videos are embedded: give a config with the variable extraction, such as '
            'configs/synthetic/untrimmed_tal.py'
        )
    options = {name: value for name, value in cfg.extraction.items() if name not in ('splits', 'out', 'workers')}
    encoder = dict(options.pop('encoder'))
    own_weights, may_be_random = encoder.pop('weights', None), encoder.pop('allow_random', False)
    weights = encoder_weights or cfg.get('encoder_weights') or own_weights
    if weights is None and not may_be_random:
        raise ValueError(
            f'the encoder {encoder["arch"]} of {cfg.filename} has no weights: give them as encoder_weights '
            '(--encoder-weights PATH of tools/infer.py), or set encoder_weights in the config'
        )
    if options.get('sampling') != 'multi-clip':
        raise ValueError(f"the extraction of {cfg.filename} must have sampling='multi-clip': one vector tells no times")
    return dict(name=encoder.pop('arch'), weights=weights, **encoder), options


def _check_embeddings(trained_on, extractor, checkpoint, config):
    """Compare what is known of the embeddings that a model was trained on with what an extractor gives."""
    known = {name: value for name, value in trained_on.get('settings', {}).items() if value is not None}
    if not known:
        warnings.warn(
            f'{checkpoint} does not say what embeddings it was trained on: make sure that their encoder and clips were '
            f'those of the extraction in {config}',
            stacklevel=3,
        )
        return
    ours = shared_settings(config, {'': dict(extractor.settings, view='forward')})
    if 'model' in known:
        known.setdefault('weights_sha256', None)  # a random encoder
    try:
        check_comparable(
            # The model itself refuses vectors of another length.
            dict(folder=trained_on.get('folder'), dims=None, settings=known),
            dict(folder=config, dims=None, settings={name: ours.get(name) for name in known}),
        )
    except ValueError as error:
        raise ValueError(
            f'{checkpoint} was trained on other embeddings than the extraction in {config} gives: {error}. '
            "The encoder's weights are given as encoder_weights (--encoder-weights PATH of tools/infer.py)"
        ) from None


def _class_names(names, num_classes):
    if names is None:
        return [str(index) for index in range(num_classes)]
    names = read_names(names)
    if len(names) != num_classes:
        raise ValueError(
            f'there are {len(names)} class names, and the model has {num_classes} classes: give the names of the data '
            'set that it was trained on'
        )
    return names
