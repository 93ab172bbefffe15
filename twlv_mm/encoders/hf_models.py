"""``hf:FOLDER_OR_REPO``: encoders made of transformers' models, and the table of supported model types."""

from twlv_mm.records import parsing
from twlv_mm.records.checks import count, shown

from . import hf_image, hf_video
from .hf_config import MAX_SIZE, log_once, make_config, read_preprocessing, read_settings
from .hf_files import model_folder, model_name, weight_files
from .spec import EncoderSpec, probe_heads

# model_type in config.json -> encoder class.
ENCODERS = {
    'vjepa2': hf_video.VJEPA2,
    'videomae': hf_video.VideoMAE,
    'vivit': hf_video.ViViT,
    'timesformer': hf_video.TimeSformer,
    'videoprism': hf_video.VideoPrismClip,
    'videoprism_vision_model': hf_video.VideoPrism,
    'xclip': hf_video.XCLIP,
    'clip': hf_image.CLIPImages,
    'clip_vision_model': hf_image.CLIPVision,
    'siglip': hf_image.SigLIP,
    'siglip_vision_model': hf_image.SigLIP,
    'siglip2': hf_image.SigLIP2,
    'siglip2_vision_model': hf_image.SigLIP2,
    'dinov2': hf_image.DINOv2,
    'dinov2_with_registers': hf_image.DINOv2WithRegisters,
    'dinov3_vit': hf_image.DINOv3,
    'aimv2': hf_image.AIMv2WithText,
    'aimv2_vision_model': hf_image.AIMv2,
}
# Model types for which the class in config.json's architectures decides.
BY_ARCHITECTURE = {
    "['VideoMAEForVideoClassification']": hf_video.FineTunedVideoMAE,
    "['CLIPVisionModelWithProjection']": hf_image.CLIPImages,
    "['CLIPForImageClassification']": hf_image.CLIPVision,
}
TOWERS = ('clip', 'siglip', 'siglip2', 'aimv2', 'xclip', 'videoprism')


def describe(name, **overrides):
    """Describe a model of transformers, in a folder or a repository of the Hugging Face hub, by its json files.

    Overrides: img_size and num_frames, if the model takes others than its own; pretraining_sets, which no file gives.
    """
    return _read(name, model_folder(name), **overrides)[2]


def build(name, with_cp=False, **overrides):
    """Build an encoder from a model of transformers, with the folder as its ``own_weights`` if that has weights.

    Arguments: those of :func:`describe`, and ``with_cp``, to recompute blocks in the backward pass.
    """
    folder = model_folder(name, weights=True)
    kind, config, spec = _read(name, folder, **overrides)
    try:
        return kind(config, spec, folder if weight_files(folder) else None, with_cp)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        raise ValueError(f'{folder}: transformers cannot build the model of its config.json: {error!r}') from error


def _read(name, folder, img_size=None, num_frames=None, pretraining_sets=None, **unknown):
    if unknown:
        raise TypeError(
            f'hf:{name} has no setting {", ".join(unknown)}; these can be set: img_size, num_frames, pretraining_sets'
        )
    where, settings = f'{folder / "config.json"}', read_settings(folder)
    model_type = settings.get('model_type')
    if not isinstance(model_type, str) or model_type not in ENCODERS:
        raise ValueError(f'{where}: model_type {shown(model_type)} is not supported, only {", ".join(ENCODERS)}')
    kind = encoder_class(settings)
    config = _config(kind, model_type, settings, where)
    if kind is hf_image.AIMv2 and config.is_native:
        kind = hf_image.NativeAIMv2
    with parsing(where):
        numbers = kind.spec_fields(config)
    made = read_preprocessing(folder, kind.preprocessing)
    chosen = made.pop('img_size')
    native = numbers['img_size']
    if chosen not in (None, native) and (kind.img_sizes != 'any' or chosen % max(numbers['patch_size'], 1)):
        log_once(f'{folder}: its preprocessing outputs {chosen} pixels, but its model expects {native}: using {native}')
        chosen = None
    patch, tubelet = numbers.pop('patch_size'), numbers.pop('tubelet_size')
    frames = numbers['num_frames']
    numbers['img_size'] = _size(name, 'img_size', img_size, native, kind.img_sizes, patch) or chosen or native
    numbers['num_frames'] = _size(name, 'num_frames', num_frames, frames, kind.frame_counts, tubelet) or frames
    if not 0 < patch <= numbers['img_size'] or not 0 < tubelet <= numbers['num_frames']:
        raise ValueError(
            f'{where}: clips of {numbers["num_frames"]} frames of {numbers["img_size"]} pixels cannot be cut into '
            f'patches of {tubelet} frames of {patch} pixels'
        )
    tower = getattr(config, 'vision_config', config)
    steps = numbers['img_size'] // patch
    with parsing(where):
        spec = EncoderSpec(
            name=model_name(name),
            source=f'hf:{name}',
            grid=(numbers['num_frames'] // tubelet, steps, steps),
            embed_dims=tower.hidden_size,
            num_heads=probe_heads(tower.hidden_size, max(tower.num_attention_heads, 1)),
            pretraining_sets=pretraining_sets,
            **numbers,
            **made,
        )
    return kind, kind.configure_for(config, spec.img_size, spec.num_frames), spec


def encoder_class(settings):
    """The encoder class for a config.json of a supported model_type."""
    return BY_ARCHITECTURE.get(str(settings.get('architectures')), ENCODERS[settings['model_type']])


def tower_config(model_type, part, settings, where):
    """The configuration of the 'vision' or 'text' tower of a model with both; ``where`` is for the error message."""
    # Old files have both; the one with _dict counts.
    found = settings.get(f'{part}_config_dict') or settings.get(f'{part}_config') or {}
    if not isinstance(found, dict):
        raise ValueError(f'{where}: {part}_config: {shown(found)} is not a dict')
    return make_config(f'{model_type}_{part}_model', found, f'{where}: {part}_config')


def _config(kind, model_type, settings, where):
    if model_type not in TOWERS:
        return make_config(model_type, settings, where)
    vision = tower_config(model_type, 'vision', settings, where)
    if kind.both_towers:
        text = tower_config(model_type, 'text', settings, where)
        return make_config(model_type, settings, where, vision_config=vision, text_config=text)
    if model_type == 'clip':
        # The projection_dim of the tower's settings is not the model's.
        vision.projection_dim = count(settings.get('projection_dim', 512), f'{where}: projection_dim', most=MAX_SIZE)
    return vision


def _size(name, key, wanted, native, rule, step):
    """A size that the user asks for, checked against what the model supports; None if none is asked for."""
    if wanted is None or wanted == native:
        return wanted
    if rule == 'native':
        raise ValueError(f'hf:{name} has positions for {key}={native} only, not for {wanted}')
    if count(wanted, f'{key} of hf:{name}', least=1, most=MAX_SIZE) % step:
        raise ValueError(f'{key}={wanted}: hf:{name} needs a multiple of {step}')
    return wanted
