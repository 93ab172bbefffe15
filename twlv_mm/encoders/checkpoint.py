"""Reading an encoder's weights from a file, without running anything in it, and giving them to an encoder, strictly."""

import os
import pickle
import re
import zipfile

import torch
from mmengine.logging import print_log
from safetensors import SafetensorError
from safetensors.torch import load_file

from twlv_mm.compat import weights_only
from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.compat.stand_ins import Refused
from twlv_mm.records import checks, raise_if_system

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .hf_files import SINGLE, weight_files, weights_sha256
from .layouts import FAMILIES, convert, some
from .layouts_hf import check_settings
from .position import TABLES, grid_of_table

CUT_OFF = 'it seems to be cut off: get it again'


def load_weights(model, path):
    """Load an encoder's weights from a file, strictly.

    Args:
        model (nn.Module): An encoder of this package.
        path (str): A checkpoint, this project's or an official one, as :func:`read_checkpoint` reads it.

    Returns:
        str: SHA-256 of the file, in hex.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or is one of another family or size; the message names what the file seems to
            hold, and the keys.
    """
    found = convert_file(path, model.arch.family)
    if os.path.isdir(path):
        check_settings(path, model.arch, model.arch_name)
    state = fitting_state(model, found, path)
    if found.family != 'own':
        print_log(
            f'{path} holds an encoder of {FAMILIES[found.family].title}: {len(state)} tensors are loaded into '
            f'{model.arch_name}, {len(found.ignored)} that are no part of it are not',
            'current',
        )
    # Files of models with a fixed table need not hold it.
    if getattr(model.arch, 'position', None) in TABLES:
        state.setdefault('pos_embed', model.pos_embed)
    model.load_state_dict(state)
    # Official files are the published weights that the table describes; of our own, only the file knows.
    published = found.family != 'own' or found.published
    model.pretraining_sets = found.pretraining_sets or (model.arch.pretraining_sets if published else None)
    return weights_sha256(path)


def load_plain_weights(model, path, heads=()):
    """Load the state dict of any model from a file, strictly.

    Args:
        model (nn.Module): A :class:`twlv_mm.Encoder`.
        path (str): A checkpoint with the state dict of the model, of what is inside of it (``model.inner``), or of
            another model that has either as ``backbone``; what is beside that is left out, and said.
        heads (Collection[str]): Keys, as the model would name them, that are left out as well.

    Returns:
        str: SHA-256 of the file, in hex.

    Raises:
        FileNotFoundError, ValueError: as :func:`load_weights`.
    """
    state = read_checkpoint(path)
    model.pretraining_sets = sets_of(state, path) or model.pretraining_sets
    for name in ('state_dict', 'model'):
        if isinstance(state.get(name), dict):
            state = state[name]
    state = {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}
    own = model.state_dict()
    wanted = {key: value.shape for key, value in own.items()}
    beside = []
    for prefix in ('module.', 'backbone.'):
        within = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if within and not state.keys() & wanted.keys():
            beside += [key for key in state if not key.startswith(prefix)]
            state = within
    if model.inner and not any(key.startswith(model.inner) for key in state):
        state = {f'{model.inner}{key}': value for key, value in state.items()}
    beside += [key for key in state if key in heads]
    state = {key: value for key, value in state.items() if key not in heads}
    name = model.spec.name
    reasons = _differences(state, wanted, name)
    reasons = reasons or unusable({key: value for key, value in state.items() if own[key].is_floating_point()})
    if reasons:
        raise ValueError('\n  '.join([f'{path} does not hold the weights of {name}:', *reasons]))
    if beside:
        print_log(f'{path}: left out are {some(beside)}, which are no part of {name}', 'current')
    model.load_state_dict(state)
    return weights_sha256(path)


def convert_file(path, wanted=None, family=None):
    """Read a file and find the encoder in it.

    Args:
        path (str): As for :func:`read_checkpoint`.
        wanted (str, optional): The family that is hoped for. V-JEPA and V-JEPA 2 share a layout, and a file that is not
            of a published size does not tell which of them it is.
        family (str, optional): A key of :data:`FAMILIES`, instead of what its keys say.

    Returns:
        Conversion: its weights, and what became of its keys.

    Raises:
        FileNotFoundError, ValueError: as :func:`read_checkpoint` and :func:`convert`.
    """
    checkpoint = read_checkpoint(path)
    found = convert(checkpoint, path, family)
    if found.family == 'vjepa' and wanted == 'vjepa2' and not likely_names(found):
        found = convert(checkpoint, path, wanted)
    meta = checkpoint.get('meta')
    if isinstance(meta, dict):
        found.arch = meta.get('arch')
        found.published = meta.get('family') not in (None, 'own')
        found.pretraining_sets = sets_of(checkpoint, path)
    return found


def sets_of(checkpoint, path, keys=('pretraining_sets', 'trained_on')):
    """Data sets that a file says its weights were trained on.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.
        path (str): For the message.
        keys (Sequence[str]): Which of its lists count: the sets of the weights that its run began with, and those that
            the run trained the encoder on.

    Returns:
        tuple[str] | None: their names; None where it does not say.

    Raises:
        ValueError: if they are no names.
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, dict):
        return None
    names = {}
    for key in keys:
        where = f'{path}, meta, {key}'
        for name in checks.instance(meta.get(key) or [], list, where):
            names[checks.name(name, where)] = None
    return tuple(names) or None


def fitting_state(model, found, path):
    """Check that an encoder's weights are those of a model, tensor by tensor.

    Args:
        model (nn.Module): An encoder of this package; the meta device will do.
        found (Conversion): From :func:`convert_file`.
        path (str): For the message.

    Returns:
        dict[str, Tensor]: the state dict, its position table, if any, as a grid.

    Raises:
        ValueError: if they are not; the message says what the file seems to hold, and names the keys.
    """
    arch, name = model.arch, model.arch_name
    family = arch.family
    seems = [found.arch] if found.arch else likely_names(found)
    if found.family not in ('own', family) or (found.arch and found.arch != name):
        title = FAMILIES[found.family].title if found.family != 'own' else 'another model'
        which = f' ({" or ".join(seems)})' if seems else ''
        raise ValueError(f'{path} holds the weights of {title}{which}, not those of {name}')
    state = {key: value for key, value in found.state.items() if not key.startswith(model.left_out)}
    wanted = {key: value.shape for key, value in model.state_dict().items()}
    if 'fc_norm.weight' in state and 'fc_norm.weight' not in wanted:
        # The encoder takes this form when it loads them: the norm of the mean, not the mean of the norms.
        wanted = {re.sub(r'^norm\.', 'fc_norm.', key): shape for key, shape in wanted.items()}
    table = state.get('pos_embed')
    if table is not None and 'pos_embed' in wanted:
        if table.ndim == 3:
            try:
                grid = grid_of_table(table.shape[1], arch.table_grid, get_architecture(name).table_grid)
            except ValueError as error:
                raise ValueError(f'{path} does not fit {name}: {error}') from None
            state['pos_embed'] = table = table.unflatten(1, grid)
        if table.ndim == 5 and table.shape[-1] == wanted['pos_embed'][-1]:
            wanted['pos_embed'] = table.shape  # the encoder resizes it
    elif getattr(arch, 'position', None) in TABLES:
        del wanted['pos_embed']
    for key in wanted.keys() & state.keys():
        # SqueezeTime's layers keep the size that their tables were trained with.
        if key.endswith('.pos_embed') and state[key].shape[:2] == wanted[key][:2]:
            wanted[key] = state[key].shape

    reasons = _differences(state, wanted, name)
    if reasons:
        hint = f'\n  It seems to hold those of {" or ".join(seems)}.' if seems and name not in seems else ''
        raise ValueError('\n  '.join([f'{path} does not hold the weights of {name}:', *reasons]) + hint)
    if reasons := unusable(state):
        raise ValueError('\n  '.join([f'{path} has weights that {name} cannot compute with:', *reasons]))
    return state


def likely_names(found):
    """Which models of the table an encoder's weights may be those of, by family and sizes.

    Args:
        found (Conversion): The weights.

    Returns:
        list[str]: names, best first; those of every family for a file that does not tell its own.
    """
    if found.family == 'squeezetime':
        return [name for name, arch in ARCHITECTURES.items() if arch.family == 'squeezetime']
    patch = found.state.get('patch_embed.proj.weight')
    fc1 = found.state.get('blocks.0.mlp.fc1.weight')
    if patch is None or patch.ndim != 5 or fc1 is None:
        return []
    depth = len(_blocks(found.state))
    has = {
        key: name in found.state
        for key, name in dict(
            class_token='cls_token', qkv_bias='blocks.0.attn.qkv.bias', qk_norm='blocks.0.attn.q_norm.weight'
        ).items()
    }
    names = []
    for name, arch in ARCHITECTURES.items():
        if not isinstance(arch, Architecture):
            continue
        sizes = (arch.embed_dims, 3, arch.tubelet_size, arch.patch_size, arch.patch_size)
        if found.family in ('own', arch.family) and (
            tuple(patch.shape) == sizes
            and (depth, len(fc1)) == (arch.depth, arch.hidden_dims)
            and all(getattr(arch, key) == there for key, there in has.items())
        ):
            names.append(name)
    table = found.state.get('pos_embed')
    if table is not None:
        length = table.flatten(1, -2).shape[1]
        names.sort(key=lambda name: length != torch.Size(ARCHITECTURES[name].table_grid).numel())
        names = [name for name in names if ARCHITECTURES[name].position != 'rope_3d']
    return names


def read_checkpoint(path):
    """Read a checkpoint file without running anything that it may contain.

    Args:
        path (str): A file written by ``torch.save``, of which only tensors and plain containers are read
            (``weights_only=True``); a ``.safetensors`` file; or a folder with one or several of these in Hugging
            Face's layout, or their index.

    Returns:
        dict: what the file or files hold, on the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read as a checkpoint, or holds objects that loading would have to execute.
        RuntimeError: if the environment tells torch to execute them (TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD).
    """
    weights_only.apply()
    files = weight_files(path)
    if not files:
        raise FileNotFoundError(
            f'no weights at {path}: the folder has none of {", ".join(SINGLE)}, nor an index of them'
        )
    shards = [_read_file(os.fspath(file)) for file in files]
    if len(shards) == 1:
        return shards[0]
    checkpoint = {key: value for shard in shards for key, value in shard.items()}
    if len(checkpoint) < sum(map(len, shards)):
        raise ValueError(f'{path}: several of its files hold tensors of the same name')
    return checkpoint


def _read_file(path):
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no weights at {path}')
    try:
        checkpoint = load_file(path) if path.endswith('.safetensors') else load_checkpoint(path)
    except Exception as error:  # a file that is no checkpoint can make the unpickler fail in any way
        raise_if_system(error, path)
        raise ValueError(f'{path} cannot be read as a checkpoint: {_reason(path, error)}') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'{path} holds a {type(checkpoint).__name__}, not a dict of weights')
    return checkpoint


def _reason(path, error):
    try:
        with open(path, 'rb') as file:
            is_archive = file.read(4) == b'PK\3\4'
    except OSError as refusal:  # safetensors does not keep it apart from damage
        raise_if_system(refusal, path)
        raise
    if isinstance(error, SafetensorError):
        return f'it is damaged or cut off ({error}): get it again'
    try:
        if (is_archive and not zipfile.is_zipfile(path)) or isinstance(error, EOFError):
            return CUT_OFF
    except zipfile.BadZipFile as damage:
        return str(damage)
    # torch wraps the cause in a text that proposes weights_only=False, which runs whatever the file says.
    cause = str(error.__context__ or error).partition(' Please')[0].strip(' .')
    if isinstance(error, Refused) and 'could run code' not in cause:
        return cause
    if isinstance(error, pickle.UnpicklingError) and re.search('GLOBAL|class|it holds', cause):
        return f'it holds more than weights ({cause}), and such things could run code while they load'
    return f'{type(error).__name__}: {(cause.splitlines() or [""])[0]}'


def _differences(state, wanted, name):
    """What keeps a state dict from being one of a model: a line for each kind."""
    ours, theirs = _blocks(wanted), _blocks(state)
    reasons = []
    gone = sorted(ours - theirs)
    if gone and theirs:
        numbers = ', '.join(map(str, gone[:8])) + ('...' if len(gone) > 8 else '')
        what = f'block {numbers} is' if len(gone) == 1 else f'blocks {numbers} are'
        reasons.append(f'of {len(ours)} blocks, {what} missing')
    if theirs - ours:
        reasons.append(f'it has {len(theirs)} blocks, {name} has {len(ours)}')
    mine = {key for key in wanted if not (_block(key) in gone and theirs)}
    given = {key for key in state if _block(key) not in theirs - ours}
    sizes = [(key, state[key].shape, wanted[key]) for key in wanted if key in state and state[key].shape != wanted[key]]
    return reasons + differing(mine - state.keys(), given - wanted.keys(), sizes)


def differing(missing, unexpected, sizes):
    """Which keys keep a file from being taken, in words.

    Args:
        missing (Iterable[str]): Keys that the model has, and the file has not.
        unexpected (Iterable[str]): Keys that the file has, and the model has not.
        sizes (list[tuple]): Keys of tensors of another shape, with the file's and the model's.

    Returns:
        list[str]: a line for each kind.
    """
    reasons = [
        f'{what}{"s" * (len(keys) > 1)}: {some(sorted(keys))}'
        for what, keys in (('Missing key', missing), ('Unexpected key', unexpected))
        if keys
    ]
    reasons += [f'{key} is {tuple(there)} there and {tuple(here)} here' for key, there, here in sizes[:4]]
    return reasons + ([f'and {len(sizes) - 4} more of another size'] if len(sizes) > 4 else [])


def unusable(state):
    """Which tensors are no finite numbers in fp32, in words; counters of batch norms are whole numbers."""
    weights = {key: value for key, value in state.items() if not key.endswith('num_batches_tracked')}
    kinds = [f'{key} ({value.dtype})' for key, value in weights.items() if not value.is_floating_point()]
    broken = [key for key, value in weights.items() if value.is_floating_point() and not value.float().isfinite().all()]
    return [
        f'{what}: {some(sorted(keys))}'
        for what, keys in (('No floating-point numbers', kinds), ('NaN, infinity, or too large for fp32', broken))
        if keys
    ]


def _block(key):
    found = re.match(r'blocks\.(\d+)\.', key)
    return int(found[1]) if found else None


def _blocks(keys):
    return {_block(key) for key in keys} - {None}
