"""Ablation of pretraining targets: accuracy on appearance and on motion, by target, probe and seed."""

import json
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from twlv_mm.encoders import get_model
from twlv_mm.pretraining.small_encoder import pretrain
from twlv_mm.records import write_json, write_table, write_text
from twlv_mm.visualization import draw_trade_off

from .frozen_probes import PROBES, frozen_scores
from .trimmed_checks import read_clips

ENCODER = 'twlv_small_synthetic'
UNTRAINED = 'untrained'
LABELS = ('appearance', 'motion')
SCORES = 'scores.json'


class Ablation:
    """Pretrain the small encoder with each target and seed, and probe each result and an untrained encoder.

    Each run, a target with a seed, has its own folder. Finished runs are not repeated; an interrupted one resumes from
    its last checkpoint.

    Args:
        out (str): Folder of the runs, the tables and the figure.
        data (str): The trimmed set.
        small (str): Folder of the teachers; they are trained there if missing.
        targets (Sequence[str]): Names of :data:`twlv_mm.pretraining.small_encoder.PRETRAINED`.
        seeds (Sequence[int]): Seeds of the initial weights, of the training and of the attentive probe.
    """

    def __init__(self, out, data, small, targets, seeds):
        self.out, self.data, self.small = Path(out), Path(data), Path(small)
        self.targets, self.seeds = [UNTRAINED, *targets], seeds

    def run(self):
        """Run what is not finished, and write the tables and the figure after each run."""
        cells = [(name, seed) for seed in self.seeds for name in self.targets]
        left = [cell for cell in cells if not self._scores(*cell).exists()]
        print(f'{len(cells) - len(left)} of {len(cells)} runs are finished in {self.out}')
        clips = {split: read_clips(self.data, split) for split in ('train', 'test')} if left else None
        start = time.monotonic()
        for number, (name, seed) in enumerate(left, 1):
            print(f'{number}/{len(left)}: {name}, seed {seed}', flush=True)
            encoder = self._pretrained(name, seed)
            write_json(self._scores(name, seed), frozen_scores(encoder, clips, seed))
            self.summarize()
            minutes = (time.monotonic() - start) / 60
            print(f'{minutes:.0f} min, about {minutes / number * (len(left) - number):.0f} to go', flush=True)
        self.summarize()
        self._show()

    def summarize(self):
        table = self._table()
        header = ['target', 'probe', 'label', 'seeds', 'mean', 'std', 'gain']
        write_table(self.out / 'table.csv', header, table, decimals=4)
        lines = ['| target | seeds | ' + ' | '.join(f'{label}, {probe}' for probe in PROBES for label in LABELS) + ' |']
        lines.append('|---' * (2 + len(PROBES) * len(LABELS)) + '|')
        for name, rows in self._by_name(table).items():
            lines.append(f'| {name} | {rows[0][3]} | ' + ' | '.join(_cell(row) for row in rows) + ' |')
        write_text(self.out / 'table.md', '\n'.join(lines) + '\n')
        finished = {name: self._finished(name) for name in self.targets if self._finished(name)}
        panels = {
            probe: {name: [[one[label][probe] for label in LABELS] for one in ones] for name, ones in finished.items()}
            for probe in PROBES
        }
        axes = tuple(f'{label}, top-1 in %' for label in LABELS)
        draw_trade_off(self.out / 'appearance_motion.png', panels, axes)

    def _pretrained(self, name, seed):
        folder = self._scores(name, seed).parent
        folder.mkdir(parents=True, exist_ok=True)
        if name == UNTRAINED:
            torch.manual_seed(seed)
            return get_model(ENCODER)
        return get_model(ENCODER, pretrain(name, folder, self.data, self.small, seed))

    def _scores(self, name, seed):
        return self.out / name / f'seed_{seed}' / SCORES

    def _finished(self, name):
        files = (self._scores(name, seed) for seed in self.seeds)
        return [json.loads(file.read_text()) for file in files if file.exists()]

    def _table(self):
        """Rows: target, probe, label, number of seeds, mean and standard deviation, gain over the untrained encoder."""
        rows, bare = [], {}
        for name in self.targets:
            ones = self._finished(name)
            for probe in PROBES:
                for label in LABELS:
                    values = [one[label][probe] for one in ones]
                    if values:
                        mean = float(np.mean(values))
                        gain = mean - bare.setdefault((probe, label), mean)
                        spread = float(np.std(values, ddof=1)) if len(values) > 1 else float('nan')
                        rows.append([name, probe, label, len(values), mean, spread, gain])
        return rows

    def _by_name(self, table):
        return {name: [row for row in table if row[0] == name] for name in dict.fromkeys(row[0] for row in table)}

    def _show(self):
        table = Table('top-1 on held-out clips, %', *(f'{label}\n{probe}' for probe in PROBES for label in LABELS))
        for name, rows in self._by_name(self._table()).items():
            table.add_row(name, *map(_cell, rows))
        Console(width=120).print(table)
        print(f'{self.out / "table.csv"}, table.md and appearance_motion.png hold the results.')


def _cell(row):
    mean, spread = row[4:6]
    return f'{mean:.1f}' if np.isnan(spread) else f'{mean:.1f} ± {spread:.1f}'
