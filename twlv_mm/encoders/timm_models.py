"""``timm:NAME``: an image model of timm as an encoder of single frames.

Mean, standard deviation, size, interpolation and squashing come from its ``pretrained_cfg``. Where that crops the
centre out of a larger image (``crop_pct``), frames are resized to the size itself instead, so that all encoders see
the same part of a video. Width and feature map come from a run on torch's meta device.
"""

import difflib
import math
from pathlib import Path

import torch

from twlv_mm.compat import torchvision_for_timm
from twlv_mm.records import read_json
from twlv_mm.records.checks import shown

from . import meta_device
from .hf_files import MAX_JSON
from .per_frame import NUM_FRAMES, PerFrameEncoder
from .spec import EncoderSpec, probe_heads
from .weight_loading import load_plain_weights

torchvision_for_timm.apply()
import timm  # noqa: E402

PRETRAINED = 'pretrained'  # as weights: those that timm publishes for the model


def describe(name, num_frames=NUM_FRAMES, img_size=None, pretraining_sets=None, **settings):
    """Describe a model of timm.

    Args:
        name (str): A name of ``timm.list_models()``, with or without the tag of its weights.
        num_frames (int): Frames of a clip.
        img_size (int, optional): Side of an image; the model's own if None.
        pretraining_sets (tuple[str], optional): Datasets that the weights were trained on, which timm does not give.
        **settings: For ``timm.create_model``.

    Returns:
        EncoderSpec
    """
    settings = dict(settings, model_name=name)
    with meta_device.EmptyWeights():
        net = _create(settings, img_size)
    cfg = net.pretrained_cfg
    if len(cfg['mean']) != 3 or cfg['input_size'][1] != cfg['input_size'][2]:
        raise ValueError(f'timm:{name} expects {cfg["input_size"]}, not square RGB images')
    size = img_size or cfg['input_size'][1]
    sizes = dict(
        num_frames=num_frames,
        img_size=size,
        mean=tuple(255 * value for value in cfg['mean']),
        std=tuple(255 * value for value in cfg['std']),
        resize='squash' if cfg.get('crop_mode') == 'squash' else 'short_side',
        interpolation=cfg.get('interpolation') or 'bicubic',
        per_frame=True,
    )
    short = name.rpartition('/')[2]
    # A placeholder spec: the sizes of the output are not known yet.
    model = TimmEncoder(net, EncoderSpec(name=short, grid=None, embed_dims=16, **sizes))
    tokens, grid, vector = meta_device.run(model, f'timm:{name}', num_frames, size)
    class_token = tokens.shape[1] > math.prod(grid) + model.kept * num_frames
    pooling = 'class_token' if class_token and net.global_pool == 'token' else 'mean'
    return EncoderSpec(
        name=short,
        grid=grid,
        embed_dims=tokens.shape[-1],
        embedding_dims=vector.shape[-1],
        num_heads=probe_heads(tokens.shape[-1]),
        class_token=class_token,
        pooling='head' if vector.requires_grad else pooling,  # with weights: another vector than --pooling's
        pretraining_sets=pretraining_sets,
        **sizes,
    )


def build(name, num_frames=NUM_FRAMES, img_size=None, pretraining_sets=None, with_cp=False, **settings):
    """Build a model of timm, without its weights.

    Arguments: those of :func:`describe`, and ``with_cp``, to recompute blocks in the backward pass.
    """
    spec = describe(name, num_frames, img_size, pretraining_sets, **settings)
    settings = dict(settings, model_name=name)
    net = meta_device.build(lambda: _create(settings, img_size))
    if with_cp:
        net.set_grad_checkpointing()
    return TimmEncoder(net, spec, settings)


class TimmEncoder(PerFrameEncoder):
    """A model of timm without its classifier.

    Tokens of an image are class tokens, then patches; registers are dropped. Its own pooling gives the input of timm's
    classifier.

    Args:
        net (nn.Module): As made by timm with ``num_classes=0``.
        spec (EncoderSpec): Its description.
        settings (dict, optional): The arguments of ``timm.create_model``, except ``num_classes``.
    """

    inner = 'net.'  # which timm's files lack

    def __init__(self, net, spec, settings=None):
        super().__init__(spec)
        self.net = net
        self.settings = settings or {}
        registers = getattr(net, 'reg_token', None)
        count = getattr(net, 'num_reg_tokens', 0 if registers is None else registers.shape[1])
        # Registers are kept only for poolings that use them, such as Eva's by attention.
        keep = getattr(net, 'pool_include_prefix', getattr(net, 'attn_pool', None) is not None)
        self.registers, self.kept = (0, count) if keep else (count, 0)
        self.channels_last = getattr(net, 'output_fmt', 'NCHW') == 'NHWC'

    def load(self, path):
        """Load weights of timm, with or without classifier, or of this project; 'pretrained' downloads timm's own."""
        name = self.settings['model_name']
        self._check_folder(path)
        with meta_device.EmptyWeights():
            whole = timm.create_model(**self.settings, num_classes=1)
        classifier = {f'net.{key}' for key in whole.state_dict()} - self.state_dict().keys()
        return load_plain_weights(self, _published(name, whole) if path == PRETRAINED else path, classifier)

    def _check_folder(self, path):
        """Compare the config.json of a folder of timm's, if there is one, in what the shapes of weights do not show."""
        file = Path(path) / 'config.json'
        if not file.is_file():
            return
        there, ours = read_json(file, dict, max_bytes=MAX_JSON), self.net.pretrained_cfg
        theirs = there.get('pretrained_cfg')
        theirs = dict(theirs if isinstance(theirs, dict) else {}, architecture=there.get('architecture'))
        for key in ('architecture', 'mean', 'std', 'interpolation', 'crop_mode'):
            value = tuple(theirs[key]) if isinstance(theirs.get(key), list) else theirs.get(key)
            if value not in (None, ours.get(key)):
                raise ValueError(
                    f'{file}: {key} is {shown(theirs[key])}, but timm:{self.settings["model_name"]} has '
                    f'{ours.get(key)!r}: name the model of these weights with its tag, such as '
                    f'timm:{theirs["architecture"]}.{theirs.get("tag")}, or set pretrained_cfg_overlay=dict({key}=...)'
                )

    def encode_frames(self, frames):
        features = self.net.forward_features(frames)
        self.is_map = features.ndim == 4
        if self.is_map:
            features = features if self.channels_last else features.movedim(1, -1)
            return features.flatten(1, 2), tuple(features.shape[1:3])
        prefix = getattr(self.net, 'num_prefix_tokens', 0)
        count = features.shape[1] - prefix
        height = round(math.sqrt(count * frames.shape[2] / frames.shape[3]))
        if count % height:
            raise ValueError(f'its {count} tokens do not form a grid')
        tokens = torch.cat([features[:, : prefix - self.registers], features[:, prefix:]], dim=1)
        return tokens, (height, count // height)

    def pool_frames(self, tokens, size):
        if self.is_map:
            features = tokens.unflatten(1, size)
            features = features if self.channels_last else features.movedim(-1, 1)
        else:
            # timm's pooling skips registers by their number, so zeros stand in for them.
            gap = tokens.new_zeros(len(tokens), self.registers, tokens.shape[2])
            first = tokens.shape[1] - math.prod(size)
            features = torch.cat([tokens[:, :first], gap, tokens[:, first:]], dim=1)
        return self.net.forward_head(features, pre_logits=True)


def _create(settings, img_size):
    """Create the model without classifier and weights, for images of any size if it supports that."""
    name = settings['model_name']
    if not timm.is_model(name):
        close = difflib.get_close_matches(name.partition('.')[0], timm.list_models(), n=5)
        raise ValueError(
            f'timm {timm.__version__} has no model {name}: ' + (f'did you mean {", ".join(close)}?' if close else '')
        )
    if refused := settings.keys() & {'pretrained', 'checkpoint_path', 'num_classes'}:
        raise TypeError(
            f'timm:{name} has no setting {", ".join(sorted(refused))}: for weights give weights=FILE or '
            f'weights={PRETRAINED!r}; an encoder has no classifier'
        )
    try:
        return timm.create_model(**settings, num_classes=0, dynamic_img_size=True)
    except TypeError:  # it takes any size without this argument, or is built for one
        chosen = {} if img_size is None else dict(img_size=img_size)
    try:
        return timm.create_model(**settings, num_classes=0, **chosen)
    except TypeError:
        if not chosen:
            raise
        return timm.create_model(**settings, num_classes=0)


def _published(name, net):
    """Path of the weights that timm publishes on the Hugging Face hub, downloaded if necessary."""
    repository = net.pretrained_cfg.get('hf_hub_id')
    if not repository:
        raise ValueError(
            f'timm publishes no weights of {name}: there are {", ".join(timm.list_pretrained(f"{name}*"))}'
        )
    try:
        from huggingface_hub import hf_hub_download

        return hf_hub_download(repository, net.pretrained_cfg.get('hf_hub_filename') or 'model.safetensors')
    except Exception as error:  # of the network, the hub or the disk
        raise ValueError(
            f'the weights of timm:{name} cannot be downloaded from {repository} on the Hugging Face hub '
            f'({type(error).__name__}: {str(error).splitlines()[0]}): give weights=FILE'
        ) from error
