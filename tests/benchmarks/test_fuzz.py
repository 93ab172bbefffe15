"""Damaged files end every reader in its own error, quickly and without much memory."""

import tempfile
from pathlib import Path

import pytest

from benchmarks.fuzz import OUTCOMES, readers, run_reader

with tempfile.TemporaryDirectory() as folder:
    NAMES = sorted(readers(Path(folder)))


@pytest.mark.parametrize('name', NAMES)
def test_damaged_files_are_read_or_refused(name):
    total, _, faults = run_reader(name, 100, seed=0)
    assert not faults, '\n'.join(f'file {number}:\n{text}' for number, text in faults.values())
    assert total[OUTCOMES[0]] + total[OUTCOMES[1]] == 100
