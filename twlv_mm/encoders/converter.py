"""Convert official weights to this project's layout, and report how their keys were mapped."""

import os
import re
from collections import Counter
from dataclasses import dataclass

import torch

from twlv_mm.records import write_tensors

from .architectures import ARCHITECTURES, get_architecture
from .checkpoint_layouts import FAMILIES, Conversion, abbreviate
from .hf_files import weights_sha256
from .position import grid_of_table
from .weight_loading import convert_file, fitting_state, likely_names


@dataclass(frozen=True)
class ConversionReport:
    """The content of an official file, and how its keys were mapped.

    ``arch`` is the model's name; ``overrides`` are num_frames and img_size, if the position table is not for its own;
    ``tensors`` is the number of the model's tensors.
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
            f'{self.tensors} tensors, none missing, none unexpected',
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
    and sha256 of the source) and state_dict.

    Args:
        source (str): An official checkpoint, as for :func:`twlv_mm.get_model`.
        target (str, optional): The new file; nothing is written if None.
        family (str, optional): A key of :data:`FAMILIES`; recognised by keys and shapes if None.
        pretraining_sets (Sequence[str], optional): Datasets that the weights were trained on, named as in
            results.json; by default those that the source names, or those of the official weights.

    Returns:
        ConversionReport

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it cannot be read, or its keys or sizes match no model, or several.
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
    # A late import, because sources imports this room's checkpoint reading.
    from .sources import get_model

    with torch.device('meta'):
        model = get_model(name, **overrides)
    state = fitting_state(model, found, source)
    sets = pretraining_sets or found.pretraining_sets or (found.published_sets(row) if found.family != 'own' else None)
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
        # A view would be saved with the whole tensor that it is part of.
        write_tensors(target, dict(meta=meta, state_dict={key: value.clone() for key, value in state.items()}))
    return ConversionReport(name, overrides, found, len(state))


def _name(found, source, family):
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
            f'{source} has the layout of {title} and the sizes of {" and ".join(names)}: choose with --family '
            f'{" or ".join(dict.fromkeys(ARCHITECTURES[name].family for name in names))}'
        )
    shapes = [f'{key} {tuple(value.shape)}' for key, value in found.state.items()]
    raise ValueError(
        f'{source} has the layout of {title}, but sizes of none of its models: {abbreviate(shapes)}. '
        'get_model(name, weights=..., embed_dims=..., ...) accepts other sizes'
    )


def _grouped(keys):
    """Count keys, ignoring the numbers of blocks."""
    return Counter(re.sub(r'\.\d+\.', '.N.', key) for key in keys)
