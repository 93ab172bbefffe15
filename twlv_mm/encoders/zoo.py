"""The door to the encoders: their names, and how to build one."""

from .architectures import ARCHITECTURES, SqueezeTimeArchitecture
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer


def list_models():
    """Names of all encoders.

    Returns:
        list[str]: sorted.
    """
    return sorted(ARCHITECTURES)


def get_model(name, weights=None, **overrides):
    """Build an encoder.

    Args:
        name (str): A name from :func:`list_models`.
        weights (str, optional): Path of a checkpoint: this project's or an official one, told apart by its keys.
            Without it the encoder is randomly initialised.
        **overrides: Numbers to change: img_size, patch_size, num_frames, tubelet_size, embed_dims, depth, num_heads,
            mlp_ratio, output_dims (CLIP, DFN), clip_embed_dims (InternVideo2), of SqueezeTime depth, widen_factor,
            num_frames, pos_dim; and the other arguments of :class:`twlv_mm.encoders.VideoVisionTransformer` or
            :class:`twlv_mm.encoders.SqueezeTime`.

    Returns:
        nn.Module: the encoder; ``model(video)`` (N, 3, T, H, W) -> (N, D, T', H', W'), ``model.tokens(video)``
        -> (N, L, D), ``model.embed(video)`` -> (N, D').

    Raises:
        ValueError: if the name is unknown or the weights are another model's.
        TypeError: if an override is unknown.
    """
    is_squeezetime = isinstance(ARCHITECTURES.get(name), SqueezeTimeArchitecture)
    return (SqueezeTime if is_squeezetime else VideoVisionTransformer)(name, weights=weights, **overrides)
