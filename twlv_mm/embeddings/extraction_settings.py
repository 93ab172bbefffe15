"""The settings that embeddings were made with: whether vectors are comparable or fit a model, and how to make more."""

from types import SimpleNamespace

import torch

from twlv_mm.encoders import get_model, list_models, official_weights, weights_sha256
from twlv_mm.records.checks import shown

from .manifest import read_manifest

# As written by tools/extract.py; embeddings of other tools may have none of them.
SETTINGS = (
    'model',
    'source',
    'overrides',
    'weights_sha256',
    'sampling',
    'clip_seconds',
    'stride_seconds',
    'frames_per_clip',
    'pooling',
    'view',
)

# SOURCEs that are safe in files from others: loading them runs no code.
DATA_ONLY = ('hf:', 'timm:')
# Further settings that a query must share; constant in a folder unless it was mixed.
OF_PICTURES = ('size', 'resize', 'interpolation', 'precision')


def folder_settings(folder):
    """The settings of a folder's vectors (dict of those known), by its manifest or else its videos' files, to make
    more.
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
            f'{folder.path} holds vectors made with different settings, which cannot be compared: {named}. Extract '
            'them with the same settings'
        )
    return kinds[0]


def shared_settings(folder, infos):
    """The settings that all embeddings of a folder share.

    Args:
        folder (str | Path): For the message.
        infos (dict[str, dict]): :meth:`EmbeddingFolder.info` of each video; at least one.

    Returns:
        dict: setting -> value, None if unknown; and pretraining_sets of the encoder's weights.
    """
    kinds = {}
    for video_id, info in infos.items():
        kinds.setdefault(tuple(info.get(name) for name in SETTINGS), video_id)
    kinds = [(dict(zip(SETTINGS, kind, strict=True)), video_id) for kind, video_id in kinds.items()]
    if len(kinds) > 1:
        (one, first), (other, second) = kinds[:2]
        raise ValueError(
            f'{folder} holds embeddings made with {len(kinds)} different settings: {first} and {second} differ in '
            f'{_difference(one, other)}. Extract them with the same settings'
        )
    sets = next((info['pretraining_sets'] for info in infos.values() if info.get('pretraining_sets')), None)
    return kinds[0][0] | dict(pretraining_sets=sets)


def repeats_frames(infos):
    """Whether clips of any video have fewer frames than the encoder takes, so that some repeat (T x fps < N); None if
    unknown.

    Args:
        infos (dict[str, dict]): As for :func:`shared_settings`.
    """
    names = ('clip_seconds', 'frames_per_clip', 'duration', 'num_frames')
    known = [[info.get(name) for name in names] for info in infos.values()]
    if not all(all(values) for values in known):
        return None
    return any(seconds * count / duration < frames for seconds, frames, duration, count in known)


def check_comparable(metainfo, other):
    """Check that the vectors of two datasets are comparable.

    Args:
        metainfo (dict): folder, dims and settings (from :func:`shared_settings`) of one.
        other (dict): Of the other.
    """
    # Files of earlier versions lack some.
    ours, theirs = (
        {name: meta['settings'].get(name) for name in SETTINGS} | dict(dims=meta['dims']) for meta in (metainfo, other)
    )
    if ours != theirs:
        raise ValueError(
            f'the embeddings in {metainfo["folder"]} and {other["folder"]} cannot be compared; they differ in '
            f'{_difference(ours, theirs)}: extract both with the same settings'
        )


def check_inputs(inputs, data_samples, in_channels):
    """Check the embeddings of a batch of videos against a model.

    Args:
        inputs (list[Tensor]): (D, T) of each video.
        data_samples (list[ActionDataSample]): With the metainfo video_id.
        in_channels (int): D of the model.
    """
    for x, sample in zip(inputs, data_samples, strict=True):
        if x.ndim != 2 or x.shape[0] != in_channels:
            raise ValueError(
                f'the embeddings of {sample.video_id} are {tuple(x.shape)}, not ({in_channels}, T): the model has '
                f'in_channels={in_channels}; set it to the embedding width, or use embeddings of another encoder'
            )
        if x.shape[1] == 0:
            raise ValueError(f'{sample.video_id} has no embeddings: leave it out, or extract it again')


def named_source(settings, where):
    """The SOURCE named by embeddings or a checkpoint, which must not be code.

    Args:
        settings (dict): Their settings, possibly from somebody else's files.
        where (str | Path): Those files, for the message.

    Returns:
        str: a name of the table, 'hf:…' or 'timm:…'.
    """
    name = settings.get('source') or settings.get('model')
    if name is None:
        raise ValueError(
            f'{where} does not name the encoder of its vectors, so that nothing else can be embedded the same way: '
            'extract them with tools/extract.py'
        )
    if not isinstance(name, str) or (':' in name and not name.startswith(DATA_ONLY)):
        raise ValueError(
            f'{where} names the encoder {shown(name)}, which is code: to run it, name it yourself, as encoder in a '
            'config or as --model'
        )
    return name


def sampling_options(settings):
    """Arguments of :class:`Extractor` that sample further videos as ``settings`` (dict) says."""
    options = dict(sampling=settings.get('sampling') or 'multi-clip', num_frames=settings.get('frames_per_clip'))
    if options['sampling'] == 'multi-clip':
        options |= {key: settings.get(key) for key in ('clip_seconds', 'stride_seconds')}
    return options


def bundled_weights(name, settings):
    """Path of this package's own weights of an encoder, if ``settings`` (dict) has their hash; else None."""
    try:
        path = official_weights(name)
    except FileNotFoundError:
        return None
    return path if weights_sha256(path) == settings.get('weights_sha256') else None


def encoder_of(settings):
    """A stand-in, without weights, for the encoder of embeddings.

    Args:
        settings (dict): From :func:`shared_settings`.

    Returns:
        nn.Module | SimpleNamespace | None: with ``spec``, ``weights_sha256`` and ``pretraining_sets``. Models of
        :func:`twlv_mm.list_models` are on the meta device; others have only name and source, and no code is run. None
        if the embeddings name no encoder.
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
