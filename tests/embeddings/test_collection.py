"""tools/extract.py: a folder of videos in, the published layout out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import twlv_mm
from twlv_mm.embeddings import Extractor, extract_collection, find_videos
from twlv_mm.synthetic import render_clip, write_video

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ('a.mp4', 'sub/b.mp4'):
        path = tmp_path / 'videos' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(str(path), render_clip(rng, 'train', num_frames=20)[0], fps=8)
    (tmp_path / 'videos/broken.mp4').write_text('not a video')
    (tmp_path / 'videos/notes.txt').write_text('no video either')
    return tmp_path / 'videos'


def read_all(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_folder_becomes_the_published_layout_and_broken_files_are_listed(folder, tmp_path):
    torch.manual_seed(0)
    encoder = twlv_mm.get_model('twlv_small_synthetic', frozen=True, allow_random=True)
    extractor = Extractor(encoder, sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5)
    failures = extract_collection(extractor, find_videos(folder), tmp_path / 'out', 'train')

    assert list(failures) == [str(folder / 'broken.mp4')]
    assert 'cannot be decoded' in failures[str(folder / 'broken.mp4')]
    files = read_all(tmp_path / 'out')
    stems = ('multi-clip/train/a', 'multi-clip/train/sub/b')
    assert set(files) == {f'{stem}{end}' for stem in stems for end in ('.json', '_c.npy', '_v.npy')}

    clips = np.load(tmp_path / 'out/multi-clip/train/a_c.npy')
    video = np.load(tmp_path / 'out/multi-clip/train/a_v.npy')
    info = json.loads(files['multi-clip/train/a.json'])
    assert clips.shape == (4, 128)
    np.testing.assert_allclose(video, clips.mean(axis=0), atol=1e-6)
    assert info['duration'] == pytest.approx(2.5)
    assert info['num_frames'] == 20
    assert info['clips'] == [dict(start=0.5 * i, end=0.5 * i + 1) for i in range(4)]
    assert info['model'] == 'twlv_small_synthetic'
    assert info['decoder'].startswith('decord')
    assert (info['clip_seconds'], info['stride_seconds'], info['frames_per_clip']) == (1.0, 0.5, 16)


def test_two_videos_of_one_name_are_refused(folder):
    (folder / 'a.avi').write_bytes((folder / 'a.mp4').read_bytes())
    with pytest.raises(ValueError, match=r'a\.avi and .*a\.mp4 would both be written as a'):
        find_videos(folder)


def test_nothing_to_embed_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match='no videos in'):
        find_videos(tmp_path)
    with pytest.raises(FileNotFoundError, match='no file or folder'):
        find_videos(tmp_path / 'none')


def extract(*arguments):
    command = [sys.executable, str(ROOT / 'tools/extract.py'), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))


def test_command_line_gives_equal_bytes_twice_and_says_what_it_skipped(folder, tmp_path):
    first = extract('twlv_small_synthetic', folder, '--out', tmp_path / '1')
    assert first.returncode == 1  # something was skipped
    assert '2 videos embedded' in first.stdout
    assert 'broken.mp4' in first.stdout
    assert 'random encoder' in first.stderr
    (folder / 'broken.mp4').unlink()
    second = extract('twlv_small_synthetic', folder, '--out', tmp_path / '2')
    assert second.returncode == 0
    assert read_all(tmp_path / '1') == read_all(tmp_path / '2')


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder of real videos')
def test_real_videos_have_clips_at_their_real_times():
    videos = find_videos(Path(os.environ['TWLV_SHARED']) / 'videos')
    encoder = twlv_mm.get_model('twlv_small_synthetic', frozen=True, allow_random=True)
    found = {name: twlv_mm.embed(path, encoder, sampling='multi-clip') for name, path in videos.items()}
    assert {name: len(embeddings) - 1 for name, embeddings in found.items()} == dict(arm_wrestling=5, people=4, test=5)
    assert found['people'][-1].end == pytest.approx(9.5)
    assert [clip.end for clip in found['people'][:-1]] == [2, 4, 6, 8]
