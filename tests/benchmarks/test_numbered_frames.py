"""Frames that show their own number, in the codecs and containers that people have, on every way to a model."""

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location('numbered_frames', ROOT / 'benchmarks/numbered_frames.py')
numbered_frames = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(numbered_frames)
OURS = numbered_frames.read_truth(ROOT / 'tests/data/numbered')
SHARED = os.environ.get('TWLV_SHARED')
THEIRS = numbered_frames.read_truth(Path(SHARED, 'numbered_videos')) if SHARED else {}


@pytest.mark.parametrize('path', OURS, ids=lambda path: path.name)
def test_frames_are_the_right_ones(path):
    for way in ('uniform', 'AVA keyframe'):
        wrong, count, worst = numbered_frames.count_wrong(way, path, OURS[path])
        assert wrong == 0, f'{way}: {wrong} of {count} frames, up to {worst} off'


@pytest.mark.parametrize('way', list(numbered_frames.WAYS))
def test_frames_of_a_stream_are_the_right_ones_on_every_way(way):
    path = ROOT / 'tests/data/numbered/hevc.ts'
    assert numbered_frames.count_wrong(way, path, OURS[path])[0] == 0


@pytest.mark.skipif(not SHARED, reason='TWLV_SHARED names no folder of further numbered videos')
def test_frames_of_further_files_are_the_right_ones():
    wrong = {path.name: numbered_frames.count_wrong('uniform', path, truth)[0] for path, truth in THEIRS.items()}
    assert set(wrong.values()) == {0}, wrong


def test_wrong_frames_are_counted():
    path, truth = next(iter(OURS.items()))
    other = numbered_frames.Truth(dict(frames=len(truth.numbers), numbers='1 to 77', times=truth.times))
    assert numbered_frames.count_wrong('uniform', path, other) == (16, 16, 1)
