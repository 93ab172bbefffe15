"""Official weights as a file of this project's layout, and what that does to their keys."""

import os
import re
from collections import Counter
from dataclasses import dataclass

import torch

from twlv_mm.records import write_tensors

from .architectures import ARCHITECTURES, get_architecture
from .checkpoint import convert_file, fitting_state, likely_names
from .hf_files import weights_sha256
from .layouts import FAMILIES, Conversion, some
from .position import grid_of_table


@dataclass(frozen=True)
class ConversionReport:
    """What a file holds, and what becomes of its keys.

    Attributes:
        arch (str): Name of the model.
        overrides (dict): num_frames and img_size, where the position table is for others than the model's own.
        conversion (Conversion): The weights.
        tensors (int): How many the model takes.
    """

    arch: str
    overrides: dict
    conversion: Conversion
    tensors: int

    def __str__(self):
        found = self.conversion
        row = get_architecture(self.arch, **self.overrides)
        settings = ''.join(f', {name}={value}' for name, value in self.overrides.items())
        lines = [
            f'{FAMILIES[found.family].title}: {self.arch}, clips of {row.num_frames} frames of {row.img_size} pixels',
            f'get_model({self.arch!r}, weights=...{settings})',
            f'{self.tensors} tensors, none missing, none unknown',
        ]
        renamed = {key: name for key, name in found.renamed.items() if key != name}
        folded = {f'{" and ".join(keys)} -> {name}': None for name, keys in found.folded.items()}
        parts = (
            ('renamed', [f'{key} -> {name}' for key, name in renamed.items()]),
            ('folded', list(folded)),
            ('ignored', found.ignored),
        )
        for title, keys in parts:
            lines.append(f'{len(keys)} {title}{":" if keys else ""}')
            lines += [f'  {count:4} x {key}' for key, count in _grouped(keys).items()]
        return '\n'.join(lines)


def convert_checkpoint(source, target=None, family=None, pretraining_sets=None):
    """Write the encoder of a file in this project's layout.

    The new file is a dict of meta (arch, family, num_frames and img_size of its position table, pretraining_sets, name
    and sha256 of the source) and state_dict. It is what ``weights`` and ``encoder_weights`` take, and so is the source.

    Args:
        source (str): An official checkpoint, as for :func:`twlv_mm.get_model`.
        target (str, optional): The new file, whose folder is made if missing; nothing is written if None.
        family (str, optional): A key of :data:`FAMILIES`; recognised by keys and shapes if None.
        pretraining_sets (Sequence[str], optional): Data sets that the weights were trained on, named as in
            results.json; if None, as the source says, or those of the published weights.

    Returns:
        ConversionReport: what it holds.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read; if its keys or sizes are no model's, or several models'; the message names
            them.
    """
    found = convert_file(source, family=family)
    name = _name(found, source, family)
    row = get_architecture(name)
    overrides = {}
    table = found.state.get('pos_embed')
    if table is not None:
        grid = grid_of_table(table.flatten(1, -2).shape[1], row.table_grid) if table.ndim == 3 else table.shape[1:4]
        sizes = dict(num_frames=grid[0] * row.tubelet_size, img_size=grid[1] * row.patch_size)
        if row.per_frame:
            del sizes['num_frames']
        overrides = {key: size for key, size in sizes.items() if size != getattr(row, key)}
    # Here and not at the top: the encoders read checkpoints.
    from .sources import get_model

    with torch.device('meta'):
        model = get_model(name, **overrides)
    state = fitting_state(model, found, source)
    sets = pretraining_sets or found.pretraining_sets or (row.pretraining_sets if found.family != 'own' else None)
    if target is not None:
        meta = dict(
            arch=name,
            family=found.family,
            **overrides,
            pretraining_sets=None if sets is None else list(sets),
            source=os.path.basename(os.path.abspath(source)),
            source_sha256=weights_sha256(source),
        )
        os.makedirs(os.path.dirname(target) or '.', exist_ok=True)
        # Views of a larger tensor would be saved with all of it.
        write_tensors(target, dict(meta=meta, state_dict={key: value.clone() for key, value in state.items()}))
    return ConversionReport(name, overrides, found, len(state))


def _name(found, source, family):
    """The model that weights are those of."""
    names = [found.arch] if found.arch else likely_names(found)
    if family is not None:
        names = [name for name in names if ARCHITECTURES[name].family == family]
    table = found.state.get('pos_embed')
    if table is not None:
        length = table.flatten(1, -2).shape[1]
        names = [name for name in names if length == torch.Size(ARCHITECTURES[name].table_grid).numel()] or names
    if len(names) == 1:
        return names[0]
    title = FAMILIES[found.family].title
    if names:
        raise ValueError(
            f'{source} has the layout of {title} and the sizes of {" and ".join(names)}: say whose it is with --family '
            f'{" or ".join(dict.fromkeys(ARCHITECTURES[name].family for name in names))}'
        )
    shapes = [f'{key} {tuple(value.shape)}' for key, value in found.state.items()]
    raise ValueError(
        f"{source} has the layout of {title}, and sizes that are none of its models': {some(shapes)}. "
        'get_model(name, weights=..., embed_dims=..., ...) takes other sizes'
    )


def _grouped(keys):
    """How often each key occurs, whatever the number of its block."""
    return Counter(re.sub(r'\.\d+\.', '.N.', key) for key in keys)
