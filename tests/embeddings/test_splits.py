"""A config's embeddings are extracted before its run, once, and with a random encoder only if that is asked for."""

import json

import pytest
import torch

import twlv_mm
from twlv_mm.analysis.labelled_vectors import load_vectors
from twlv_mm.embeddings import EmbeddingFolder, extract_splits
from twlv_mm.embeddings.manifest import differing_settings
from twlv_mm.recognition import LabelledEmbeddings
from twlv_mm.synthetic import item_rng, render_clip, write_video

ENCODER = dict(arch='twlv_small_synthetic', embed_dims=32, depth=1, num_heads=2)


@pytest.fixture
def asked(tmp_path):
    for split in ('train', 'val'):
        (tmp_path / split).mkdir()
        for index in range(2):
            frames, *_ = render_clip(item_rng(0, 'test', index), 'test')
            write_video(str(tmp_path / split / f'{split}{index}.mp4'), frames, fps=8)
    splits = {split: str(tmp_path / split) for split in ('train', 'val')}
    options = dict(sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5, workers=0)
    return dict(encoder=dict(ENCODER, allow_random=True), splits=splits, out=str(tmp_path / 'out'), **options)


def test_splits_are_embedded_into_their_folders_and_only_once(asked, tmp_path):
    extract_splits(**asked)
    folder = EmbeddingFolder(tmp_path / 'out/multi-clip/val')
    assert folder.video_ids == ['val0', 'val1']
    assert folder.clips('val0').shape == (3, 32)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.npy')}
    extract_splits(**asked)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.npy')} == written


def test_encoder_without_weights_is_refused_unless_it_may_be_random(asked, tmp_path):
    del asked['encoder']['allow_random']
    with pytest.raises(ValueError, match='encoder_weights=PATH'):
        extract_splits(**asked)
    assert not (tmp_path / 'out').exists()


def test_embeddings_are_those_of_the_given_weights(asked, tmp_path):
    overrides = {key: value for key, value in ENCODER.items() if key != 'arch'}
    torch.save(twlv_mm.get_model('twlv_small_synthetic', **overrides).state_dict(), tmp_path / 'weights.pth')
    extract_splits(**dict(asked, encoder=dict(ENCODER, weights=str(tmp_path / 'weights.pth'))))
    info = EmbeddingFolder(tmp_path / 'out/multi-clip/train').info('train0')
    assert len(info['weights_sha256']) == 64
    with pytest.raises(ValueError, match='weights_sha256'):
        extract_splits(**asked)


def test_overrides_of_the_encoder_are_settings_of_the_folder(asked, tmp_path):
    extract_splits(**asked)
    with pytest.raises(ValueError, match=r"overrides is '.*num_heads=2' there, '.*num_heads=4' here"):
        extract_splits(**dict(asked, encoder=dict(asked['encoder'], num_heads=4)))
    assert differing_settings(dict(model='a', overrides='layer=6'), dict(model='a')) == ['overrides']


def test_failed_video_is_listed_and_does_not_stop_the_others(asked, tmp_path):
    (tmp_path / 'val' / 'broken.mp4').write_bytes(b'nothing')
    extract_splits(**asked)
    folder = tmp_path / 'out/multi-clip/val'
    assert EmbeddingFolder(folder).video_ids == ['val0', 'val1']
    (failure,) = map(json.loads, (folder / 'failures.jsonl').read_text().splitlines())
    assert failure['video_id'] == 'broken'


def test_names_of_classes_beside_a_list_go_with_its_embeddings(asked, tmp_path):
    (tmp_path / 'val.txt').write_text('val/val0.mp4 1\nval/val1.mp4 0\n')
    (tmp_path / 'classes.txt').write_text('run\nsit\n')
    extract_splits(**asked | dict(splits=dict(val=str(tmp_path / 'val.txt'))))
    folder = str(tmp_path / 'out/multi-clip/val')
    assert load_vectors(folder).class_of() == {'val/val0': 'sit', 'val/val1': 'run'}
    assert LabelledEmbeddings(folder, 'video').metainfo['classes'] == ['run', 'sit']


def test_a_split_of_several_lists_has_each_video_once(asked, tmp_path):
    (tmp_path / 'a.txt').write_text('train/train0.mp4 0\nval/val0.mp4 1\n')
    (tmp_path / 'b.txt').write_text('val/val0.mp4 1\nval/val1.mp4 0\n')
    lists = [dict(source=str(tmp_path / name), root=str(tmp_path)) for name in ('a.txt', 'b.txt')]
    extract_splits(**dict(asked, splits=dict(all=lists)))
    assert EmbeddingFolder(tmp_path / 'out/multi-clip/all').video_ids == ['train/train0', 'val/val0', 'val/val1']
