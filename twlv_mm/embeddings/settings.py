"""What embeddings were made with, as their files say: what makes vectors comparable, and whose they are."""

from types import SimpleNamespace

import torch

from twlv_mm.encoders import get_model, list_models
from twlv_mm.records.checks import shown

from .manifest import read_manifest

# As tools/extract.py writes them; embeddings of other tools may say none of it.
SETTINGS = (
    'model',
    'source',
    'weights_sha256',
    'sampling',
    'clip_seconds',
    'stride_seconds',
    'frames_per_clip',
    'pooling',
    'view',
)

# SOURCEs that may stand in files of others: they are read as data alone.
DATA_ONLY = ('hf:', 'timm:')
# What else a query's vector has to be made with; of one kind in a folder unless it was mixed.
OF_PICTURES = ('size', 'resize', 'interpolation', 'precision')


def folder_settings(folder):
    """What the vectors of a folder were made with, to make others that can be compared with them.

    Args:
        folder (EmbeddingFolder): Its manifest is read, or without one, its videos' files.

    Returns:
        dict: name of a setting -> value, those that are known.
    """
    try:
        kinds = read_manifest(folder.path)['settings']
    except (FileNotFoundError, ValueError):
        kinds = []
    kinds = kinds or [folder.info(video_id) for video_id in folder.video_ids]
    kinds = [{name: kind[name] for name in (*SETTINGS, *OF_PICTURES) if name in kind} for kind in kinds]
    other = next((kind for kind in kinds if kind != kinds[0]), None)
    if other is not None:
        differing = [name for name in (*SETTINGS, *OF_PICTURES) if kinds[0].get(name) != other.get(name)]
        named = '; '.join(f'{name} is {kinds[0].get(name)!r} and {other.get(name)!r}' for name in differing)
        raise ValueError(
            f'{folder.path} holds vectors that were made with different settings and cannot be compared: {named}. '
            'Extract them with the same settings'
        )
    return kinds[0]


def shared_settings(folder, infos):
    """The settings that all embeddings of a folder share.

    Args:
        folder (str | Path): Where they are, for the message.
        infos (dict[str, dict]): Of each video, what :meth:`EmbeddingFolder.info` gives; at least one.

    Returns:
        dict: name of a setting -> value, None where not known; and pretraining_sets, those of the encoder's weights.
    """
    kinds = {}
    for video_id, info in infos.items():
        kinds.setdefault(tuple(info.get(name) for name in SETTINGS), video_id)
    kinds = [(dict(zip(SETTINGS, kind, strict=True)), video_id) for kind, video_id in kinds.items()]
    if len(kinds) > 1:
        (one, first), (other, second) = kinds[:2]
        raise ValueError(
            f'{folder} holds embeddings of {len(kinds)} kinds: {first} and {second} differ in '
            f'{_difference(one, other)}. Extract them with the same settings'
        )
    sets = next((info['pretraining_sets'] for info in infos.values() if info.get('pretraining_sets')), None)
    return kinds[0][0] | dict(pretraining_sets=sets)


def repeats_frames(infos):
    """Whether a video's clips have fewer frames than the encoder takes, so that some come twice (T x fps < N).

    Args:
        infos (dict[str, dict]): As for :func:`shared_settings`.

    Returns:
        bool | None: whether there is one; None where a file does not say.
    """
    names = ('clip_seconds', 'frames_per_clip', 'duration', 'num_frames')
    known = [[info.get(name) for name in names] for info in infos.values()]
    if not all(all(values) for values in known):
        return None
    return any(seconds * count / duration < frames for seconds, frames, duration, count in known)


def check_comparable(metainfo, other):
    """Check that the vectors of two datasets can be compared.

    Args:
        metainfo (dict): folder, dims and settings (from :func:`shared_settings`) of one.
        other (dict): Of the other.
    """
    # Files of earlier versions say nothing of some.
    ours, theirs = (
        {name: meta['settings'].get(name) for name in SETTINGS} | dict(dims=meta['dims']) for meta in (metainfo, other)
    )
    if ours != theirs:
        raise ValueError(
            f'the embeddings in {metainfo["folder"]} and {other["folder"]} cannot be compared, they differ in '
            f'{_difference(ours, theirs)}: extract both with the same settings'
        )


def named_source(settings, where):
    """The SOURCE of the encoder that embeddings or a checkpoint name, unless it is code that they could choose.

    Args:
        settings (dict): What was made with it, as files of others may say it.
        where (str | Path): Those files, for the message.

    Returns:
        str: a name of the table, 'hf:…' or 'timm:…'.
    """
    name = settings.get('source') or settings.get('model')
    if name is None:
        raise ValueError(
            f'{where} does not say which encoder its vectors are of, so that nothing else can be embedded like them: '
            'extract them with tools/extract.py'
        )
    if not isinstance(name, str) or (':' in name and not name.startswith(DATA_ONLY)):
        raise ValueError(
            f'{where} names the encoder {shown(name)}, which is code: it is run only where you name it yourself, as '
            'encoder in a config or as --model'
        )
    return name


def encoder_of(settings):
    """The encoder that embeddings were made with, without its weights.

    Args:
        settings (dict): From :func:`shared_settings`.

    Returns:
        nn.Module | SimpleNamespace | None: With ``spec``, ``weights_sha256`` and ``pretraining_sets``; one of
        :func:`twlv_mm.list_models` on the meta device, of others no more than their name and source, for which no code
        is run. None if the embeddings name none.
    """
    name, weights = settings['model'], settings['weights_sha256']
    if name is None:
        return None
    if name in list_models():
        with torch.device('meta'):
            encoder = get_model(name)
    else:
        spec = SimpleNamespace(name=name, source=settings.get('source'))
        encoder = SimpleNamespace(spec=spec, parameters=tuple, modules=tuple)
    encoder.weights_sha256 = weights
    encoder.pretraining_sets = settings.get('pretraining_sets')
    return encoder


def _difference(settings, others):
    return ', '.join(
        f'{name} ({value!r} and {others[name]!r})' for name, value in settings.items() if value != others[name]
    )
