"""From forward and reversed embeddings to the table, the pictures and results.json."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import twlv_mm
from twlv_mm.analysis import load_pairs, study_direction
from twlv_mm.embeddings import Extractor, extract_collection, find_videos
from twlv_mm.synthetic import item_rng, render_clip
from twlv_mm.video import write_video

from ..commands import run_tool
from .saved import save_folder

ROOT = Path(__file__).parents[2]
NAMES = [f'v{number:03d}' for number in range(40)]
LABELS = {name: ('up', 'down')[number % 2] for number, name in enumerate(NAMES)}


def save_pairs(out, tells=0.0, names=NAMES, labels=LABELS, **reversed_info):
    """Forward and reversed embeddings of 12 numbers; ``tells`` is how far apart the directions are."""
    random = np.random.default_rng(0)
    shown = {name: random.normal(size=(2, 12)) for name in NAMES}
    axis = np.eye(12)[0] * tells
    settings = dict(sampling='multi-clip', clip_seconds=1.0)
    forward, backward = ({name: shown[name] + sign * axis for name in names} for sign in (1, -1))
    save_folder(out / 'multi-clip/val', forward, labels, view='forward', **settings)
    save_folder(out / 'multi-clip-reversed/val', backward, labels, view='reversed', **(settings | reversed_info))
    return out / 'multi-clip/val'


def test_command_compares_encoders_class_by_class(tmp_path, monkeypatch, capsys):
    still, moving = save_pairs(tmp_path / 'still'), save_pairs(tmp_path / 'moving', tells=3.0)
    out = tmp_path / 'out'
    options = ['--out', out, '--dataset', 'mine', '--permutations', 19]
    run_tool('visualize.py', 'direction', f'still={still}', f'moving={moving}', *options)
    with (out / 'direction.csv').open() as file:
        rows = {(row['class'], row['encoder']): row for row in csv.DictReader(file)}
    assert len(rows) == 6
    for name in ('up', 'down', 'mean over classes'):
        assert float(rows[name, 'still']['accuracy']) == 50
        assert float(rows[name, 'moving']['low']) > 80
    assert (out / 'direction.md').read_text() in capsys.readouterr().out
    pictures = {path.name for path in out.iterdir() if path.is_file()}
    assert pictures >= {'000_down.png', '000_down.html', '001_up.png', '001_up.html'}
    record = json.loads((out / 'moving/results.json').read_text())
    assert (record['schema_version'], record['task'], record['dataset']) == (1, 'direction', 'mine')
    assert record['metrics']['direction/accuracy'] == pytest.approx(
        float(rows['mean over classes', 'moving']['accuracy']), abs=1e-3
    )
    assert record['metrics']['direction/class/up'] > 80
    assert record['encoder']['name'] == 'twlv_base'
    assert record['encoder']['label'] == 'moving'
    assert record['encoder']['weights_sha256'] == 'ab' * 32
    assert record['decoder'] == dict(name='decord', version='0.6.0')
    assert record['protocol']['classes'] == ['down', 'up']


def test_videos_of_one_direction_are_listed_and_left_out(tmp_path):
    folder = save_pairs(tmp_path)
    for path in folder.glob('v003*'):
        path.unlink()
    for path in (tmp_path / 'multi-clip-reversed/val').glob('v007*'):
        path.unlink()
    pairs = load_pairs(folder)
    assert pairs.unpaired == {'v003': 'reversed', 'v007': 'forward'}
    assert pairs.forward.video_ids == [name for name in NAMES if name not in ('v003', 'v007')]
    assert len(pairs.backward) == 38


def test_pairs_are_found_from_within_the_folder_of_the_sampling(tmp_path, monkeypatch):
    monkeypatch.chdir(save_pairs(tmp_path).parent)
    assert load_pairs('val').forward.video_ids == NAMES


def test_folders_that_are_not_forward_and_reversed_are_refused(tmp_path):
    save_folder(tmp_path / 'lone/multi-clip/val', dict.fromkeys(NAMES, np.zeros((1, 12))))
    with pytest.raises(FileNotFoundError, match='lone/multi-clip-reversed/val.*--views forward,reversed'):
        load_pairs(tmp_path / 'lone/multi-clip/val')
    with pytest.raises(FileNotFoundError, match='folder nowhere does not exist$'):
        load_pairs('nowhere')
    with pytest.raises(ValueError, match=r'different settings \(clip_seconds\)'):
        load_pairs(save_pairs(tmp_path / 'clips', clip_seconds=2.0))
    folder = save_pairs(tmp_path / 'views')
    (tmp_path / 'views/multi-clip-reversed/val').rename(tmp_path / 'aside')
    (tmp_path / 'views/multi-clip-reversed').rmdir()
    (tmp_path / 'views/multi-clip-reversed/val').parent.mkdir()
    for path in folder.iterdir():
        target = tmp_path / 'views/multi-clip-reversed/val' / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="holds the view 'forward' and .* the view 'forward'"):
        load_pairs(folder)


def test_class_of_few_videos_is_not_measured_and_says_so(tmp_path):
    labels = LABELS | dict.fromkeys(NAMES[:4], 'rare')
    pairs = dict(one=load_pairs(save_pairs(tmp_path, labels=labels)))
    study = study_direction(pairs, permutations=2)
    assert study.too_few == {'rare': 4}
    assert list(study.scores) == ['down', 'up', 'mean over classes']
    with pytest.raises(ValueError, match=r'1 classes have fewer than 10 videos .* rare \(4\)'):
        study_direction(pairs, ['rare'])
    with pytest.raises(ValueError, match="unknown class 'left'; it is not among the 3: down, rare, up"):
        study_direction(pairs, ['left'])


def test_encoder_that_sees_frames_one_by_one_cannot_tell_direction(tmp_path):
    """From videos on: the same frames in another order have the same mean."""
    (tmp_path / 'videos').mkdir()
    for number in range(12):
        frames, *_ = render_clip(item_rng(0, 'test', number), 'test', motion='up', num_frames=6)
        write_video(tmp_path / f'videos/{number:02d}.mp4', frames, 8)
    encoder = twlv_mm.get_model('twlv_small_synthetic', allow_random=True, frozen=True, num_frames=1, tubelet_size=1)
    extractor = Extractor(encoder, sampling='multi-clip', clip_seconds=0.125)
    extract_collection(
        extractor, find_videos(tmp_path / 'videos'), tmp_path / 'out', 'test', views=['forward', 'reversed'], workers=0
    )
    study = study_direction(dict(frames=load_pairs(tmp_path / 'out/multi-clip/test')), permutations=2)
    assert study.scores['no label']['frames'].accuracy == pytest.approx(50, abs=1e-9)
