"""Embeds single videos as the config of a trained model says, for inferencers."""

import os
import warnings
from pathlib import Path

from twlv_mm.embeddings.batches import SharedBatches
from twlv_mm.embeddings.extraction_settings import check_comparable, shared_settings
from twlv_mm.embeddings.extractor import Extractor, chosen_encoder
from twlv_mm.embeddings.time_grid import clip_grid
from twlv_mm.video import ReadFault, check_decoder, read_ahead

REMEDY = '(--encoder-weights PATH of tools/infer.py)'


class VideoEmbedder:
    """Embed videos bit for bit as the ``extraction`` of a config does.

    Args:
        cfg (Config): With the variable ``extraction`` (see :func:`extract_splits`; splits, out and workers are not
            used), unless that is given.
        encoder_weights, device, decoder (str, optional): Override the config's.
        extraction (dict, optional): Overrides the config's ``extraction``.
    """

    def __init__(self, cfg, encoder_weights=None, device=None, decoder=None, extraction=None):
        if extraction is None:
            extraction = _extraction_of(cfg)
        options = {name: value for name, value in extraction.items() if name not in ('splits', 'out', 'workers')}
        encoder = dict(options.pop('encoder'))
        encoder['weights'] = encoder_weights or cfg.get('encoder_weights') or encoder.get('weights')
        configured = options.pop('decoder', None)
        self._decoder = decoder or configured
        check_decoder(self._decoder)
        self._config = cfg.filename
        remedy = f'as encoder_weights {REMEDY}, or set encoder_weights in the config'
        self._extractor = Extractor(chosen_encoder(encoder, cfg.filename, remedy), **options | dict(device=device))

    def check(self, trained_on, checkpoint):
        """Compare the embeddings that a model was trained on with those of this embedder; warn if they are unknown.

        ``trained_on`` is the ``dataset_meta`` of its checkpoint: folder and settings (from :func:`shared_settings`), or
        empty.
        """
        known = {name: value for name, value in trained_on.get('settings', {}).items() if value is not None}
        if not known:
            warnings.warn(
                f'{checkpoint} does not say which embeddings it was trained on: make sure that their encoder and clips '
                f'were those of the extraction in {self._config}',
                stacklevel=3,
            )
            return
        ours = shared_settings(self._config, {'': dict(self._extractor.settings, view='forward')})
        if 'model' in known:
            known = dict(weights_sha256=None, overrides=None) | known  # a random encoder, without overrides
        try:
            check_comparable(
                # dims need no comparison: the model itself refuses vectors of another width.
                dict(folder=trained_on.get('folder'), dims=None, settings=known),
                dict(folder=self._config, dims=None, settings={name: ours.get(name) for name in known}),
            )
        except ValueError as error:
            raise ValueError(
                f'{checkpoint} was trained on embeddings that differ from the extraction in {self._config}: {error}. '
                f"Give the encoder's weights as encoder_weights {REMEDY}"
            ) from None

    def embed(self, path):
        """Embed one video, in this process; errors as for :meth:`vectors`.

        Returns an item as of the datasets of embedded clips: video_id (the file's name without suffix), feats ((M, D)
        float32, in order of time), duration (seconds), and origin, step and clip_seconds of :func:`clip_grid`; and its
        provenance.
        """
        video, made_with = self.vectors(path)
        grid, count = clip_grid(path, video.times, self._extractor.settings['stride_seconds'])
        feats = video.clips['forward'][:count]
        return dict(video_id=Path(path).stem, feats=feats, duration=float(video.duration), **grid), made_with

    def vectors(self, path):
        """Embed one video, in this process; an unreadable one raises FileNotFoundError or ReadFault.

        Returns:
            tuple[EmbeddedVideo, dict]: its vectors, in order of time, with the view 'forward'; and their provenance for
            json: encoder (name, weights_sha256, and with several clips clip_seconds and stride_seconds), decoder (name,
            version).
        """
        path = os.fspath(path)
        if not os.path.isfile(path):
            raise FileNotFoundError(f'no video file at {path}')
        # Batches are filled up with blank clips, as in an extraction, so that vectors are the same bit for bit.
        streams = read_ahead([path], self._extractor.sampling, workers=0, decoder=self._decoder)
        (video,) = SharedBatches(self._extractor)(streams)
        fault = video if isinstance(video, ReadFault) else video.fault
        if fault is not None:
            raise fault
        settings = self._extractor.settings
        encoder = {
            name: settings[name] for name in ('weights_sha256', 'clip_seconds', 'stride_seconds') if name in settings
        }
        decoder, _, version = video.decoder.partition(' ')
        return video, dict(
            encoder=dict(name=settings['model'], **encoder), decoder=dict(name=decoder, version=version or None)
        )


def _extraction_of(cfg):
    """The extraction of a config, which must be one of several clips, as one vector has no times."""
    if cfg.get('extraction') is None:
        raise ValueError(
            f'{cfg.filename} does not say how to embed videos: give a config with the variable extraction, such as '
            'configs/synthetic/untrimmed_tal.py'
        )
    if cfg.extraction.get('sampling') != 'multi-clip':
        raise ValueError(f"the extraction of {cfg.filename} must have sampling='multi-clip': one vector has no times")
    return cfg.extraction
