"""Load weights into an encoder, strictly: find them in a checkpoint and match them with the model, key by key."""

import os
import re

import torch
from mmengine.logging import print_log

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .checkpoint import read_checkpoint, sets_of, state_dict_in
from .checkpoint_layouts import FAMILIES, abbreviate, convert
from .hf_files import weights_sha256
from .hf_layouts import check_settings
from .position import TABLES, grid_of_table
from .published_weights import shipped_sha256

COUNTER = '.num_batches_tracked'
# Prefixes of a model's keys: of DDP, of torch.compile, and of models that have it as backbone.
WRAPPERS = ('module.', '_orig_mod.', 'backbone.')


def load_weights(model, path):
    """Load weights into an encoder of the table, strictly.

    Args:
        model (nn.Module): The encoder.
        path (str): A checkpoint of this project or an official one, as :func:`read_checkpoint` reads it.

    Returns:
        str: SHA-256 of the file, in hex.

    Raises:
        ValueError: if it cannot be read, or is of another family or size; the message says which, and names the keys.
    """
    found = convert_file(path, model.arch.family)
    if os.path.isdir(path):
        check_settings(path, model.arch, model.arch_name)
    state = fitting_state(model, found, path)
    if found.family != 'own':
        print_log(
            f'{path} holds an encoder of {FAMILIES[found.family].title}: {len(state)} tensors are loaded into '
            f'{model.arch_name}; {len(found.ignored)} that do not belong to it are ignored',
            'current',
        )
    if hasattr(model, 'pos_embed'):
        _tell_of_table(model, state.get('pos_embed'), path)
        state.setdefault('pos_embed', model.pos_embed)  # files of models with a fixed table need not hold it
    model.load_state_dict(state)
    sha256 = weights_sha256(path)
    # Official files, and ours if it is the shipped one, have the weights that the table describes; else the file tells.
    published = found.family != 'own' or found.published or sha256 == shipped_sha256(model.arch_name)
    model.pretraining_sets = found.pretraining_sets or (found.published_sets(model.arch) if published else None)
    return sha256


def _tell_of_table(model, table, path):
    """Log the origin of a position table for other clips than those of the file or, without a table, of the row."""
    here, row = model.arch.table_grid, get_architecture(model.arch_name).table_grid
    there = row if table is None else tuple(table.shape[1:4])
    if there != here:
        origin = 'is computed for these, as in its official code' if table is None else 'in the file is interpolated'
        print_log(
            f'{path} is used for {" x ".join(map(str, here))} patches instead of {" x ".join(map(str, there))}: the '
            f'position table {origin}',
            'current',
        )


def load_plain_weights(model, path, heads=()):
    """Load the state dict of any model, strictly.

    Args:
        model (Encoder): The encoder.
        path (str): A checkpoint with the state dict of the encoder, of the model that it wraps (``model.inner``), or of
            a model that has either as ``backbone``; everything else in it is ignored, and logged.
        heads (Collection[str]): Keys, as the model would name them, that are ignored as well.

    Returns:
        str: SHA-256 of the file, in hex.
    """
    checkpoint = read_checkpoint(path)
    model.pretraining_sets = sets_of(checkpoint, path) or model.pretraining_sets
    state, _ = state_dict_in(checkpoint, path)
    own = model.state_dict()
    wanted = {key: value.shape for key, value in own.items()}
    known = wanted.keys() | {key.removeprefix(model.inner) for key in wanted}
    ignored = []
    for prefix in WRAPPERS:
        within = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if within and not state.keys() & known:
            ignored += [key for key in state if not key.startswith(prefix)]
            state = within
    if model.inner and not any(key.startswith(model.inner) for key in state):
        state = {f'{model.inner}{key}': value for key, value in state.items()}
    ignored += [key for key in state if key in heads]
    state = {key: value for key, value in state.items() if key not in heads}
    name = model.spec.name
    reasons = _differences(state, wanted, name)
    reasons = reasons or unusable({key: value for key, value in state.items() if own[key].is_floating_point()})
    if reasons:
        raise ValueError('\n  '.join([f'{path} does not hold the weights of {name}:', *reasons]))
    if ignored:
        print_log(f'{path}: ignored {abbreviate(ignored)}, which do not belong to {name}', 'current')
    model.load_state_dict(state)
    return weights_sha256(path)


def convert_file(path, wanted=None, family=None):
    """Read a file and find the encoder in it.

    Args:
        path (str): As for :func:`read_checkpoint`.
        wanted (str, optional): The expected family: V-JEPA and V-JEPA 2 share a layout, so that a file of unpublished
            sizes does not tell which of them it is.
        family (str, optional): A key of :data:`FAMILIES`, instead of the family that its keys suggest.

    Returns:
        Conversion
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


def fitting_state(model, found, path):
    """Check that weights (a Conversion) fit an encoder of the table, also on the meta device, tensor by tensor.

    Returns:
        dict[str, Tensor]: the state dict, with its position table, if any, as a grid.
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
        # Fine-tuned models normalise the mean of the tokens; the encoder switches to that form on loading.
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
            wanted['pos_embed'] = table.shape  # the encoder resizes the table
    elif getattr(arch, 'position', None) in TABLES:
        del wanted['pos_embed']
    for key in wanted.keys() & state.keys():
        # SqueezeTime's layers keep their tables' trained sizes.
        if key.endswith('.pos_embed') and state[key].shape[:2] == wanted[key][:2]:
            wanted[key] = state[key].shape

    reasons = _differences(state, wanted, name)
    if reasons:
        hint = f'\n  It seems to hold those of {" or ".join(seems)}.' if seems and name not in seems else ''
        raise ValueError('\n  '.join([f'{path} does not hold the weights of {name}:', *reasons]) + hint)
    if reasons := unusable(state):
        raise ValueError('\n  '.join([f'{path} has weights that {name} cannot use:', *reasons]))
    return state


def likely_names(found):
    """The models of the table that weights (a Conversion) may belong to, by family and sizes, best first.

    Of every family if the file does not tell its own.
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


def _differences(state, wanted, name):
    """The differences between a state dict and a model's, one line per kind."""
    ours, theirs = _blocks(wanted), _blocks(state)
    reasons = []
    gone = sorted(ours - theirs)
    if gone and theirs:
        numbers = ', '.join(map(str, gone[:8])) + ('...' if len(gone) > 8 else '')
        what = f'block {numbers} is' if len(gone) == 1 else f'blocks {numbers} are'
        reasons.append(f'of {len(ours)} blocks, {what} missing')
    if theirs - ours:
        reasons.append(f'it has {len(theirs)} blocks, {name} has {len(ours)}')
    # torch starts the counters of batch norms, which old files lack, at 0.
    mine = {key for key in wanted if not (_block(key) in gone and theirs) and not key.endswith(COUNTER)}
    given = {key for key in state if _block(key) not in theirs - ours}
    sizes = [(key, state[key].shape, wanted[key]) for key in wanted if key in state and state[key].shape != wanted[key]]
    return reasons + differing(mine - state.keys(), given - wanted.keys(), sizes)


def differing(missing, unexpected, sizes):
    """Describe mismatched keys, one line per kind; ``sizes`` has keys with the file's and the model's shape."""
    reasons = [
        f'{what}{"s" * (len(keys) > 1)}: {abbreviate(sorted(keys))}'
        for what, keys in (('Missing key', missing), ('Unexpected key', unexpected))
        if keys
    ]
    reasons += [f'{key} is {tuple(there)} in the file, {tuple(here)} in the model' for key, there, here in sizes[:4]]
    return reasons + ([f'and {len(sizes) - 4} more of another size'] if len(sizes) > 4 else [])


def unusable(state):
    """Describe tensors that are not finite numbers in fp32, except the integer counters of batch norms."""
    weights = {key: value for key, value in state.items() if not key.endswith(COUNTER)}
    kinds = [f'{key} ({value.dtype})' for key, value in weights.items() if not value.is_floating_point()]
    broken = [key for key, value in weights.items() if value.is_floating_point() and not value.float().isfinite().all()]
    return [
        f'{what}: {abbreviate(sorted(keys))}'
        for what, keys in (('No floating-point numbers', kinds), ('NaN, infinity, or too large for fp32', broken))
        if keys
    ]


def _block(key):
    found = re.match(r'blocks\.(\d+)\.', key)
    return int(found[1]) if found else None


def _blocks(keys):
    return {_block(key) for key in keys} - {None}
