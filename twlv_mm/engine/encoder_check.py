"""Checks before a run that its config does not contradict its encoder; changes nothing."""

from mmengine.hooks import Hook

from twlv_mm.encoders import EncoderError, describe, encoder_in, official_weights, spec_of
from twlv_mm.registry import HOOKS

from .wrappers import unwrapped

HOW = (
    'Set the encoder with ENCODER=SOURCE before the command, or with --cfg-options encoder=SOURCE of the tools of '
    "twlv_mm; if a config sets a different default, it must be a literal (encoder = 'umt_large')"
)
LAYER_DECAY = 'LearningRateDecayOptimizerConstructor'  # of mmaction2


def check_encoder(cfg):
    """Compare a config with the description of its encoder; EncoderError names both if they differ.

    A config that does not inherit ``configs/_base_/encoder.py``, or has a backbone of another kind, is not compared.
    """
    model = cfg.get('model') or {}
    backbone = model.get('backbone') or (cfg.get('extraction') or {}).get('encoder')
    weights = cfg.get('encoder_weights')
    if weights == 'official' and 'spec' in cfg:
        weights = official_weights(cfg.encoder)
    if weights and backbone and backbone.get('weights') != weights:
        raise EncoderError(
            f'{cfg.filename}: encoder_weights={weights}, but the encoder has weights={backbone.get("weights")}: set '
            "ENCODER_WEIGHTS=PATH before the command, or change the encoder's weights"
        )
    if 'spec' not in cfg:
        if cfg.get('encoder'):
            encoder_in(cfg, cfg.filename)  # raises if the backbone is another one
        return
    source, overrides = encoder_in(cfg, cfg.filename)
    _check_parsed(cfg, source, overrides)
    optim_wrapper = cfg.get('optim_wrapper') or {}
    depth = (optim_wrapper.get('paramwise_cfg') or {}).get('num_layers')
    if depth is None and str(optim_wrapper.get('constructor')).endswith(LAYER_DECAY):
        raise EncoderError(
            f'{cfg.filename}: encoder {source} has no known number of blocks, which {LAYER_DECAY} needs '
            '(paramwise_cfg.num_layers). It works with the vision transformers in twlv_mm.list_models(); for '
            'another encoder, write a config without this constructor and without drop_path_rate'
        )
    if backbone is None:
        return
    try:
        placed, its = encoder_in(dict(model=dict(backbone=backbone)), cfg.filename)
    except EncoderError:
        return  # of another kind
    if placed != source:
        raise EncoderError(f'{cfg.filename}: encoder={source}, but its model has the encoder {placed}. {HOW}')
    for key in sorted(its.keys() | overrides):
        if its.get(key) != overrides.get(key):
            own = overrides.get(key, cfg.spec.get(key, 'its own'))
            raise EncoderError(
                f'{cfg.filename}: model.backbone.{key}={its.get(key)}, but encoder {source} has {key}={own}. Set '
                f'encoder_overrides.{key}={its.get(key)} instead; dependent settings follow'
            )
    spec = describe(source, **overrides)
    if {'decoder', 'roi_head'} & model.keys():
        spec.require_map('Detection')
    for path, value, wanted in _numbers(model, spec, cfg.get('extraction')):
        if value is not None and value != wanted:
            raise EncoderError(
                f'{cfg.filename}: {path}={value} does not match encoder {source} ({wanted}): remove it, or choose '
                f'another encoder. {HOW}'
            )


@HOOKS.register_module()
class EncoderCheckHook(Hook):
    """Refuse a run whose config contradicts its encoder, or whose clips have the wrong number of frames for it.

    A model with ``any_num_frames``, as in pretraining, may have clips of any whole number of tubelets. Clips of another
    resolution are logged once.
    """

    def before_run(self, runner):
        check_encoder(runner.cfg)
        model = runner.cfg.get('model') or {}
        self._seen = set()
        self._spec = None
        if 'spec' in runner.cfg and (model.get('backbone') or {}).get('source'):
            source, overrides = encoder_in(runner.cfg, runner.cfg.filename)
            self._spec = describe(source, **overrides)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._check(runner, 'train', data_batch)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self._check(runner, 'val', data_batch)

    def before_test_iter(self, runner, batch_idx, data_batch=None):
        self._check(runner, 'test', data_batch)

    def _check(self, runner, stage, batch):
        inputs = batch.get('inputs') if isinstance(batch, dict) else None
        if self._spec is None or inputs is None or not len(inputs):
            return
        shape = tuple(inputs[0].shape[-4:])  # 3, T, H, W
        if (stage, shape[1:]) in self._seen or len(shape) < 4 or shape[0] != 3:
            return
        self._seen.add((stage, shape[1:]))
        spec, frames, size = self._spec, shape[1], min(shape[2:])
        model = unwrapped(runner.model)
        any_number = getattr(model, 'any_num_frames', False)
        if frames % spec.tubelet_size if any_number else frames != spec.num_frames:
            raise EncoderError(
                f'clips of {stage}_dataloader have {frames} frames, but the encoder {spec.source} expects '
                f'{spec.num_frames}: set num_frames={{{{_base_.spec.num_frames}}}} in its pipeline, or set '
                f'encoder_overrides.num_frames={frames}; dependent settings follow'
            )
        logged = stage, size
        if size != spec.img_size and logged not in self._seen:
            self._seen.add(logged)
            runner.logger.info(
                f'clips of {stage}_dataloader have {shape[2]} x {shape[3]} pixels; the encoder {spec.source} is '
                f'meant for {spec.img_size}.'
            )


def _check_parsed(cfg, source, overrides):
    """Check that the description in the config is that of the encoder it names."""
    expected = spec_of(source, overrides)
    wrong = [key for key, value in expected.items() if _plain(cfg.spec.get(key)) != _plain(value)]
    if wrong:
        raise EncoderError(
            f'{cfg.filename} says encoder={source!r}'
            + (f' with {overrides}' if overrides else '')
            + f', but was parsed for {cfg.spec.get("source")!r}: {wrong[0]} is {cfg.spec.get(wrong[0])}, but should be '
            f'{expected[wrong[0]]}. {HOW}'
        )


def _numbers(model, spec, extraction):
    """Path, value and expected value of each setting (mmaction2's and mmdet's keys) that the encoder determines."""
    if not model.get('backbone'):
        width = spec.embedding_dims if (extraction or {}).get('pooling') is None else spec.embed_dims
        for key in ('in_channels', 'feat_dim'):
            yield f'model.{key}', model.get(key), width
        return
    preprocessor = model.get('data_preprocessor') or {}
    for key in ('mean', 'std'):
        yield f'model.data_preprocessor.{key}', _plain(preprocessor.get(key)), _plain(getattr(spec, key))
    divisor = preprocessor.get('size_divisor')
    if divisor is not None and divisor % spec.patch_size:
        yield 'model.data_preprocessor.size_divisor', divisor, spec.patch_size
    roi_head = model.get('roi_head') or {}
    extractor, decoder = roi_head.get('bbox_roi_extractor') or {}, model.get('decoder') or {}
    yield 'model.roi_head.bbox_roi_extractor.featmap_stride', extractor.get('featmap_stride'), spec.patch_size
    if model.get('neck'):
        return
    width = spec.embedding_dims if model.get('features') == 'embed' else spec.embed_dims
    heads = {'cls_head': model.get('cls_head'), 'decoder': decoder, 'roi_head.bbox_head': roi_head.get('bbox_head')}
    for name, head in heads.items():
        yield f'model.{name}.in_channels', (head or {}).get('in_channels'), width


def _plain(value):
    return tuple(value) if isinstance(value, list | tuple) else value
