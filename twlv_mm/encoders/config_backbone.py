"""The encoder that a config of a model names."""

# Of the task that the config is for, not of the encoder.
_OF_TASKS = ('type', 'weights', 'frozen', 'allow_random', 'drop_path_rate', 'with_cp')
_DEFAULT_ARCHS = {'VideoViT': None, 'SqueezeTime': 'squeezetime_r50'}


def backbone_of(cfg, source):
    """Read which encoder a config's ``model.backbone`` is.

    Args:
        cfg (dict): The config.
        source (str): Its file, for the message.

    Returns:
        tuple[str, dict]: its row in the table of architectures, and what the config changes of it.

    Raises:
        ValueError: if there is none of this package, or it has no ``arch``.
    """
    backbone = cfg.get('model', {}).get('backbone', {})
    kind = str(backbone.get('type')).removeprefix('twlv_mm.')
    overrides = {key: value for key, value in backbone.items() if key not in _OF_TASKS}
    arch = overrides.pop('arch', _DEFAULT_ARCHS.get(kind))
    if kind not in _DEFAULT_ARCHS or arch is None:
        raise ValueError(
            f'{source} has no model.backbone of type twlv_mm.VideoViT or twlv_mm.SqueezeTime with an arch, to use'
        )
    return arch, overrides
