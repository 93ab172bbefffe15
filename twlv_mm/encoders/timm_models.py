"""``timm:NAME``: an image model of timm as an encoder that sees each frame alone.

Mean, standard deviation, size, interpolation and squashing are those of its ``pretrained_cfg``. Where that crops the
centre out of a larger picture (``crop_pct``), frames here are resized to the size itself, so that all encoders see as
much of a video. Width and feature map are what comes out of a run on torch's meta device, which computes nothing.
"""

import difflib
import math

import torch

from twlv_mm.compat import torchvision_for_timm

from . import meta
from .checkpoint import load_plain_weights
from .per_frame import NUM_FRAMES, PerFrameEncoder
from .spec import EncoderSpec, probe_heads

torchvision_for_timm.apply()
import timm  # noqa: E402

PRETRAINED = 'pretrained'  # as weights: those that timm publishes under the name


def describe(name, num_frames=NUM_FRAMES, img_size=None, pretraining_sets=None, **settings):
    """Describe a model of timm.

    Args:
        name (str): Of ``timm.list_models()``, with or without the tag of its weights.
        num_frames (int): Frames of a clip.
        img_size (int, optional): Side of a picture; the model's own if None.
        pretraining_sets (tuple[str], optional): Data sets that the weights were trained on, which timm does not say.
        **settings: For ``timm.create_model``.

    Returns:
        EncoderSpec: its description.

    Raises:
        ValueError: if there is no such model, or it gives nothing to be used.
    """
    settings = dict(settings, model_name=name)
    with meta.EmptyWeights():
        net = _create(settings, img_size)
    cfg = net.pretrained_cfg
    if len(cfg['mean']) != 3 or cfg['input_size'][1] != cfg['input_size'][2]:
        raise ValueError(f'timm:{name} does not take square RGB pictures, but {cfg["input_size"]}')
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
    # The sizes of its output are not known yet.
    model = TimmEncoder(net, EncoderSpec(name=short, grid=None, embed_dims=16, **sizes))
    tokens, grid, vector = meta.run(model, f'timm:{name}', num_frames, size)
    class_token = tokens.shape[1] > torch.Size(grid).numel()
    return EncoderSpec(
        name=short,
        grid=grid,
        embed_dims=tokens.shape[-1],
        embedding_dims=vector.shape[-1],
        num_heads=probe_heads(tokens.shape[-1]),
        class_token=class_token,
        pooling='class_token' if class_token else 'mean',
        pretraining_sets=pretraining_sets,
        **sizes,
    )


def build(name, num_frames=NUM_FRAMES, img_size=None, pretraining_sets=None, with_cp=False, **settings):
    """Build a model of timm, without its weights.

    Args:
        name (str): As for :func:`describe`; so are the others.
        with_cp (bool): Recompute each block in the backward pass instead of keeping its activations.

    Returns:
        TimmEncoder: the encoder.
    """
    spec = describe(name, num_frames, img_size, pretraining_sets, **settings)
    settings = dict(settings, model_name=name)
    net = meta.build(lambda: _create(settings, img_size))
    if with_cp:
        net.set_grad_checkpointing()
    return TimmEncoder(net, spec, settings)


class TimmEncoder(PerFrameEncoder):
    """A model of timm without its classifier.

    Tokens of a picture are class tokens, then patches; registers are left out. Its own pooling gives what timm's
    classifier would get.

    Args:
        net (nn.Module): As made by timm with ``num_classes=0``.
        spec (EncoderSpec): Its description.
        settings (dict, optional): What it was made with, but ``num_classes``.
    """

    inner = 'net.'  # files of timm hold what is inside

    def __init__(self, net, spec, settings=None):
        super().__init__(spec)
        self.net = net
        self.settings = settings or {}
        registers = getattr(net, 'reg_token', None)
        # Pooling by attention may look at registers, so they stay; no other does.
        keep = registers is None or getattr(net, 'attn_pool', None) is not None
        self.registers = 0 if keep else registers.shape[1]
        self.channels_last = getattr(net, 'output_fmt', 'NCHW') == 'NHWC'

    def load(self, path):
        """Load weights of a file of timm, with or without classifier, or of this project, strictly.

        Args:
            path (str): A file; 'pretrained' fetches the one that timm publishes under the model's name.

        Returns:
            str: SHA-256, in hex.
        """
        name = self.settings['model_name']
        with meta.EmptyWeights():
            whole = timm.create_model(**self.settings, num_classes=1)
        classifier = {f'net.{key}' for key in whole.state_dict()} - self.state_dict().keys()
        return load_plain_weights(self, _published(name, whole) if path == PRETRAINED else path, classifier)

    def encode_frames(self, frames):
        """See :meth:`PerFrameEncoder.encode_frames`."""
        features = self.net.forward_features(frames)
        self.is_map = features.ndim == 4
        if self.is_map:
            features = features if self.channels_last else features.movedim(1, -1)
            return features.flatten(1, 2), tuple(features.shape[1:3])
        prefix = getattr(self.net, 'num_prefix_tokens', 0)
        count = features.shape[1] - prefix
        height = round(math.sqrt(count * frames.shape[2] / frames.shape[3]))
        if count % height:
            raise ValueError(f'its {count} tokens have no places in a picture')
        tokens = torch.cat([features[:, : prefix - self.registers], features[:, prefix:]], dim=1)
        return tokens, (height, count // height)

    def pool_frames(self, tokens, size):
        """See :meth:`PerFrameEncoder.pool_frames`."""
        if self.is_map:
            features = tokens.unflatten(1, size)
            features = features if self.channels_last else features.movedim(-1, 1)
        else:
            # timm counts registers, and looks at none of them.
            gap = tokens.new_zeros(len(tokens), self.registers, tokens.shape[2])
            first = tokens.shape[1] - math.prod(size)
            features = torch.cat([tokens[:, :first], gap, tokens[:, first:]], dim=1)
        return self.net.forward_head(features, pre_logits=True)


def _create(settings, img_size):
    """The model without classifier and weights; of a transformer, one that takes pictures of any size."""
    name = settings['model_name']
    if not timm.is_model(name):
        close = difflib.get_close_matches(name.partition('.')[0], timm.list_models(), n=5)
        raise ValueError(
            f'timm {timm.__version__} has no model {name}: ' + (f'did you mean {", ".join(close)}?' if close else '')
        )
    try:
        return timm.create_model(**settings, num_classes=0, dynamic_img_size=True)
    except TypeError:  # it takes any size as it is, or is built for one
        chosen = {} if img_size is None else dict(img_size=img_size)
    try:
        return timm.create_model(**settings, num_classes=0, **chosen)
    except TypeError:
        if not chosen:
            raise
        return timm.create_model(**settings, num_classes=0)


def _published(name, net):
    """Path of the weights that timm publishes on the Hugging Face hub, fetched if need be."""
    repository = net.pretrained_cfg.get('hf_hub_id')
    if not repository:
        raise ValueError(
            f'timm publishes no weights of {name}: there are {", ".join(timm.list_pretrained(f"{name}*"))}'
        )
    try:
        from huggingface_hub import hf_hub_download

        return hf_hub_download(repository, net.pretrained_cfg.get('hf_hub_filename') or 'model.safetensors')
    except Exception as error:  # of network, hub and disk
        raise ValueError(
            f'the weights of timm:{name} cannot be fetched from {repository} on the Hugging Face hub '
            f'({type(error).__name__}: {str(error).splitlines()[0]}): give weights=FILE'
        ) from error
