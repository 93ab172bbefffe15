"""Where official weights are published and under which licence; the weights that come with this package."""

from functools import cache
from pathlib import Path

from .hf_files import weights_sha256

SHIPPED = Path(__file__).parent / 'weights'
# Prefix of a model's name -> page, and licence of that repository or card as of 2026-11 (that of the weights may
# differ); '' if unknown.
PUBLISHED = {
    'vjepa2_': ('https://github.com/facebookresearch/vjepa2', 'MIT'),
    'vjepa_': ('https://github.com/facebookresearch/jepa', 'CC BY-NC 4.0'),
    'umt_': ('https://github.com/OpenGVLab/unmasked_teacher', ''),
    'videomae_': ('https://github.com/MCG-NJU/VideoMAE', 'CC BY-NC 4.0'),
    'videomaev2_': ('https://github.com/OpenGVLab/VideoMAEv2', ''),
    'internvideo2_': ('https://github.com/OpenGVLab/InternVideo', 'Apache-2.0'),
    'clip_': ('https://github.com/openai/CLIP', 'MIT'),
    'dfn_': ('https://huggingface.co/apple/DFN5B-CLIP-ViT-H-14', 'apple-amlr'),
    'squeezetime_': ('https://github.com/xinghaochen/SqueezeTime', ''),
}


def official_weights(name):
    """The path of a model's official weights, if they come with this package.

    Args:
        name (str): SOURCE.

    Raises:
        FileNotFoundError: if they are published elsewhere, or not at all; the message says where, and the licence.
    """
    path = SHIPPED / f'{name}.safetensors'
    if path.is_file():
        return str(path)
    for beginning, (page, licence) in PUBLISHED.items():
        if name.startswith(beginning):
            terms = f'licence there: {licence}' if licence else 'see the licence there'
            raise FileNotFoundError(
                f'the official weights of {name} are published at {page} ({terms}): download the file and give its '
                'path as weights'
            )
    if ':' in name:
        raise FileNotFoundError(
            f'{name} has no official weights here, only those of its source, if any: give a file as weights'
        )
    raise FileNotFoundError(f'weights of {name} were never published: train your own, or give a file as weights')


@cache
def shipped_sha256(name):
    """SHA-256 of the weights of a model that come with this package; None if there are none."""
    path = SHIPPED / f'{name}.safetensors'
    return weights_sha256(path) if path.is_file() else None
