"""Read the json files of a Hugging Face folder: the model's configuration and its preprocessing."""

from dataclasses import fields
from math import isqrt

from mmengine.logging import print_log
from transformers import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from twlv_mm.records import parsing, read_json
from twlv_mm.records.checks import count, number, shown

from .hf_files import CONFIGS, MAX_JSON

# Above any model's numbers, and low enough that a forged file cannot exhaust memory.
MAX_SIZE = 1 << 17
MAX_LAYERS = 512
# Pillow's codes, as used in the preprocessors' json.
RESAMPLING = {0: 'nearest', 1: 'lanczos', 2: 'bilinear', 3: 'bicubic', 4: 'area'}
HALF = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)
IMAGENET = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
CLIP = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])

_logged = set()


def log_once(message):
    """Log a message once per process."""
    if message not in _logged:
        _logged.add(message)
        print_log(message, 'current')


def read_settings(folder):
    """Read a folder's config.json as a dict."""
    try:
        return read_json(folder / 'config.json', dict, max_bytes=MAX_JSON)
    except FileNotFoundError:
        raise ValueError(f'{folder} has no config.json, so it is not the folder of a transformers model') from None


def make_config(model_type, settings, where, **more):
    """Make a model's configuration from plain settings.

    Settings that could make transformers fetch or run something (``auto_map``, ``attn_implementation``, quantisation)
    are not among the model's own, and are ignored.

    Args:
        model_type (str): transformers' name of the model type.
        settings (dict): From config.json; transformers' defaults apply to missing ones.
        where (str): Their source, for the error message.
        **more: Settings to add, such as the configurations of its towers.
    """
    make = CONFIG_MAPPING[model_type]
    own = {field.name for field in fields(make)} - {field.name for field in fields(PreTrainedConfig)}
    own = {name for name in own if not name.startswith('_') and not name.endswith('_config')}
    chosen = {}
    for key, value in settings.items():
        if key in own or key == 'qkv_bias':  # old VideoMAE files have it
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, int) and not isinstance(item, bool):
                    most = MAX_LAYERS if 'layers' in key else MAX_SIZE
                    count(item, f'{where}: {key}', least=-1 if key.endswith('token_id') else 0, most=most)
            chosen[key] = value
    try:
        return make(**chosen, **more)
    except Exception as error:  # transformers' own checks raise many kinds
        raise ValueError(f'{where}: {" ".join(str(error).split())}') from None


def side(value, where):
    """The side in pixels of a square that config.json gives as a number or as height and width."""
    sides = list(value) if isinstance(value, list | tuple) else [value]
    if len(set(sides)) != 1:
        raise ValueError(f'{where}: {shown(value)} is not square; encoders need square frames')
    return count(sides[0], where, least=1, most=MAX_SIZE)


def read_preprocessing(folder, defaults):
    """Read a model's own preprocessing.

    Args:
        folder (Path): The folder.
        defaults (dict): Values of transformers' class for settings that the file lacks: image_mean, image_std,
            resample, size, crop_size, do_center_crop, rescale_factor and offset (ViViT's).

    Returns:
        dict: mean and std (0-255), resize and interpolation, as in :class:`twlv_mm.EncoderSpec`; and img_size, None if
        the file does not give it.
    """
    path, found = _preprocessor(folder)
    with parsing(path):
        settings = dict(defaults, **{key: value for key, value in found.items() if value is not None})
        if not found:
            log_once(f'{folder} has no preprocessing: using the default mean, std and resizing of its model type')
        factor = number(settings.get('rescale_factor', 1 / 255), f'{path}: rescale_factor', least=1e-6, most=1e6)
        factor = factor if settings.get('do_rescale', True) else 1.0
        normalise = settings.get('do_normalize', True)
        mean = _channels(settings['image_mean'] if normalise else 0, f'{path}: image_mean', least=-1e4)
        std = _channels(settings['image_std'] if normalise else 1, f'{path}: image_std', least=1e-6)
        if factor == 1 and min(std) < 1:
            raise ValueError(
                f'{path}: do_rescale is off, so that image_mean and image_std are for pixels that are already from 0 '
                'to 1; here they are from 0 to 255: set it to true'
            )
        shift = bool(settings.get('offset', False))  # pixels are shifted to -1 ... 1 before the mean is subtracted
        resample = settings.get('resample', 2)
        if resample not in RESAMPLING or isinstance(resample, bool):
            raise ValueError(f'{path}: resample {shown(resample)} is not one of {", ".join(map(str, RESAMPLING))}')
        img_size, resize = _resizing(settings, path)
    return dict(
        img_size=img_size,
        mean=tuple((value + shift) / factor for value in mean),
        std=tuple(value / factor for value in std),
        resize=resize,
        interpolation=RESAMPLING[resample],
    )


def _preprocessor(folder):
    """The file with the preprocessing and its content; of several, the video processor's."""
    for name in ('video_preprocessor_config.json', 'preprocessor_config.json', 'processor_config.json'):
        path = folder / name
        if not path.is_file():
            continue
        content = read_json(path, dict, max_bytes=MAX_JSON)
        if name == 'processor_config.json':  # holds several processors
            content = content.get('video_processor') or content.get('image_processor') or {}
        if isinstance(content, dict) and content:
            return path, content
    return folder / CONFIGS[1], {}


def _channels(value, where, least):
    values = value if isinstance(value, list | tuple) else [value] * 3
    if len(values) != 3:
        raise ValueError(f'{where}: {shown(value)} must be three numbers, one per channel')
    return [number(item, where, least=least, most=1e4) for item in values]


def _resizing(settings, path):
    """Side of the input, None if not given, and how a frame becomes a square of it."""
    size, crop = settings.get('size'), settings.get('crop_size')
    if 'max_num_patches' in settings:  # NaFlex
        patches = count(settings['max_num_patches'], f'{path}: max_num_patches', least=1, most=MAX_SIZE)
        log_once(f'{path}: its own preprocessing keeps the aspect ratio of images; here they are squashed to a square')
        return isqrt(patches) * count(settings.get('patch_size', 16), f'{path}: patch_size', least=1), 'squash'
    crop = _square(crop, f'{path}: crop_size') if crop is not None and settings.get('do_center_crop', False) else None
    short = (
        size.get('shortest_edge')
        if isinstance(size, dict)
        else size
        if settings.get('default_to_square') is False
        else None
    )
    if short is not None:
        short = count(short, f'{path}: size', least=1, most=MAX_SIZE)
        if crop not in (None, short):
            log_once(
                f'{path}: its own preprocessing resizes the short side to {short} pixels before the crop of {crop}; '
                f'here it is resized to {crop}'
            )
        return crop or short, 'short_side'
    if size is None:
        return crop, 'short_side'
    return crop or _square(size, f'{path}: size'), 'squash'


def _square(value, where):
    if isinstance(value, dict):
        value = [value.get('height'), value.get('width')]
    return side(value, where)
