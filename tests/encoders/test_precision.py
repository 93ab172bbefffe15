import pytest
import torch

from twlv_mm.encoders.precision import has_bf16_units


@pytest.mark.parametrize(
    ('flags', 'has'), [('fpu avx2 avx512f', False), ('fpu avx512_bf16 sse', True), ('avx512_bf16 amx_bf16', True)]
)
def test_units_of_a_cpu_are_known_from_what_the_system_says(tmp_path, flags, has):
    (tmp_path / 'cpuinfo').write_text(f'processor\t: 0\nflags\t\t: {flags}\n')
    assert has_bf16_units('cpu', tmp_path / 'cpuinfo') is has


def test_unknown_cpu_counts_as_one_without_bf16_units(tmp_path):
    assert has_bf16_units('cpu', tmp_path / 'none') is False


@pytest.mark.parametrize('has', [False, True])
def test_gpu_that_only_emulates_bf16_has_no_units(monkeypatch, has):
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda including_emulation=True: including_emulation or has)
    assert has_bf16_units(torch.device('cuda', 0)) is has
