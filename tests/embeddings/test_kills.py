"""Kills at each moment of writing embeddings in both formats."""

import itertools
import os
import shutil

import numpy as np
import pytest

from twlv_mm.embeddings import parquet_store
from twlv_mm.embeddings.store import Store

from .test_collection import read_all

pytest.importorskip('pyarrow')
VIDEO_IDS = ['one', 'sub/two', 'unreadable', 'three']
CHANGES = ('open', 'replace', 'unlink', 'mkdir')


def embed(folder):
    """What a run does beside reading and encoding; returns what it has embedded."""
    store = Store(folder, ['npy', 'parquet'], VIDEO_IDS)
    todo = [video_id for video_id in VIDEO_IDS if video_id not in store.finished]
    try:
        for video_id in todo:
            if video_id == 'unreadable':
                store.settle(video_id)
                continue
            clips = np.random.default_rng(len(video_id)).standard_normal((2, 4), dtype=np.float32)
            store.write(video_id, clips, np.array([[0.0, 1.0], [1.0, 2.0]]), dict(duration=2.0, num_frames=9))
        todo.remove('unreadable')
        store.finish(todo)
    finally:
        store.claims.close()
    return todo


def check_resumed(folder, whole):
    finished = {path.relative_to(folder).with_suffix('').as_posix() for path in folder.rglob('*.json')}
    parts = {path: path.stat().st_ino for path in folder.glob('*.parquet')}
    assert not finished.intersection(embed(folder))
    assert read_all(folder) == whole
    assert {path: path.stat().st_ino for path in parts} == parts, 'a whole part was written again'


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """Content of the folder of an undisturbed run."""
    monkeypatch.setattr(parquet_store, 'PART_VIDEOS', 2)
    monkeypatch.setattr(os, 'fsync', lambda descriptor: None)
    (tmp_path / 'whole').mkdir()
    embed(tmp_path / 'whole')
    content = read_all(tmp_path / 'whole')
    assert [name for name in content if name.endswith('.parquet')] == [
        'part-00000-of-00001-00000.parquet',
        'part-00000-of-00001-00001.parquet',
    ]
    return content


def before_each_change(monkeypatch, folder, happen):
    """Call a function before each step that changes the folder."""

    def changing(function):
        def change(path, *args, **kwargs):
            if str(path).startswith(str(folder)):
                happen()
            return function(path, *args, **kwargs)

        return change

    for name in CHANGES:
        monkeypatch.setattr(os, name, changing(getattr(os, name)))


def test_both_formats_are_whole_after_a_kill_at_any_step(tmp_path, monkeypatch, whole):
    folder, left = tmp_path / 'run', []
    folder.mkdir()

    def kill():
        """A kill leaves what is on the disk."""
        left.append(tmp_path / f'left{len(left)}')
        shutil.copytree(folder, left[-1])

    with monkeypatch.context() as patch:
        before_each_change(patch, folder, kill)
        embed(folder)
    for killed in left:
        check_resumed(killed, whole)
    assert len(left) > 40


def test_both_formats_are_whole_after_ctrl_c_at_any_step(tmp_path, monkeypatch, whole):
    for number in itertools.count():
        folder, steps = tmp_path / f'run{number}', itertools.count()
        folder.mkdir()

        def interrupt(steps=steps, number=number):
            if next(steps) == number:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            before_each_change(patch, folder, interrupt)
            try:
                embed(folder)
                break
            except KeyboardInterrupt:
                pass
        check_resumed(folder, whole)
    assert number > 40
