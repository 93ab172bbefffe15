"""The dataset: features and labels of the same video and time, what is left out and said, and what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from twlv_mm.registry import DATASETS
from twlv_mm.segmentation.dataset import SegmentationDataset
from twlv_mm.segmentation.transforms import AlignFeatures, PackSegmentation

from ..embeddings.saved import CLIP, DIMS, STRIDE, save, save_published
from .label_files import SHARED, needs_shared, unpack, write_labels

FPS = 10
PIPELINE = [dict(type=AlignFeatures, subsampling=2), dict(type=PackSegmentation)]


def frames(seconds):
    return ['pour'] * (FPS * seconds // 2) + ['stir'] * (FPS * seconds - FPS * seconds // 2)


def build(root, folder, split='train', fps=FPS, **options):
    return SegmentationDataset(root, folder, split, fps, **options)


@pytest.mark.parametrize('published', [False, True])
def test_item_has_the_features_and_labels_of_one_video(tmp_path, published):
    (save_published if published else save)(tmp_path / 'feats', 'a', 10)
    root = write_labels(tmp_path / 'labels', dict(a=frames(10)))
    arguments = dict(clip_seconds=CLIP, stride_seconds=STRIDE) if published else {}
    item = build(root, tmp_path / 'feats', **arguments)[0]
    assert (item['video_id'], item['duration'], item['fps'], item['num_frames']) == ('a', 10, 10, 100)
    assert (item['feats'].shape, item['feats'].dtype) == ((39, DIMS), np.float32)
    np.testing.assert_allclose(item['origin'] + np.arange(39) * item['step'], item['feats'][:, 0], atol=1e-5)
    assert item['frame_labels'].dtype == np.int64
    assert item['frame_labels'].tolist() == [0] * 50 + [1] * 50


@needs_shared
def test_folds_of_gtea_align_with_their_features(tmp_path, logged):
    root, folder = unpack('GTEA', tmp_path), Path(SHARED, 'planted/gtea/train')
    options = dict(folder=str(folder), fps=15, clip_seconds=0.5, stride_seconds=0.125, pipeline=PIPELINE)
    tested = []
    for fold in range(1, 5):
        config = dict(type='twlv_mm.SegmentationDataset', data_root=str(root), fold=fold, **options)
        train, test = (DATASETS.build(dict(config, split=split)) for split in ('train', 'test'))
        assert (len(train), len(test), train.metainfo['missing']) == (21, 7, ())
        assert test.metainfo['source'].endswith(f'splits/test.split{fold}.bundle')
        tested += [packed['data_samples'].video_id for packed in test]
    assert len(set(tested)) == 28
    assert logged['warning'] == []
    packed, sample = train[0]['inputs'], train[0]['data_samples']
    assert packed.shape == (24, -(-sample.num_frames // 2))
    # The features were planted from the labels: those of a class are nearer to its own mean than to the others'.
    means = torch.stack([packed[:, sample.step_labels == label].mean(1) for label in sample.step_labels.unique()])
    nearest = sample.step_labels.unique()[torch.cdist(packed.T, means).argmin(1)]
    assert (nearest == sample.step_labels).float().mean() > 0.5


@needs_shared
def test_gtea_at_another_rate_is_refused(tmp_path):
    root, folder = unpack('GTEA', tmp_path), Path(SHARED, 'planted/gtea/train')
    with pytest.raises(ValueError, match=r'do not end where the labels .* fps=30, of 21 videos .*: set fps'):
        build(root, folder, fps=30, clip_seconds=0.5, stride_seconds=0.125)


def test_videos_without_embeddings_are_left_out_and_named(tmp_path, logged):
    save(tmp_path / 'feats', 'b', 10)
    root = write_labels(tmp_path / 'labels', dict.fromkeys('abc', frames(10)))
    dataset = build(root, tmp_path / 'feats')
    assert [item['video_id'] for item in dataset] == ['b']
    assert dataset.metainfo['missing'] == ('a', 'c')
    assert '2 OF 3 VIDEOS' in logged['warning'][0]
    assert 'left out: a, c.' in logged['warning'][0]
    write_labels(root, {}, train1=['a', 'c'])
    with pytest.raises(
        FileNotFoundError, match=r"none of the 2 videos of .*bundle: the former has 'b', the latter 'a'"
    ):
        build(root, tmp_path / 'feats')


def test_videos_without_label_files_are_refused_with_their_names(tmp_path):
    save(tmp_path / 'feats', 'a', 10)
    root = write_labels(tmp_path / 'labels', dict(a=frames(10)), train1=['a', 'b', 'c'])
    with pytest.raises(FileNotFoundError, match=r'no label file of 2 videos \(b, c\)'):
        build(root, tmp_path / 'feats')


@pytest.mark.parametrize(('seconds', 'said'), [(60, False), (62, True), (58, True), (68, None), (52, None)])
def test_lengths_that_differ_are_reported_or_refused(tmp_path, logged, seconds, said):
    save(tmp_path / 'feats', 'a', 60.4)  # the last clip ends at 60.25 s
    root = write_labels(tmp_path / 'labels', dict(a=frames(seconds)))
    if said is None:
        with pytest.raises(ValueError, match=rf'fps=10, of 1 videos \(a: 60\.2 and {seconds}\.0 s\): set fps'):
            build(root, tmp_path / 'feats')
        return
    build(root, tmp_path / 'feats')
    assert len(logged['warning']) == said
    assert not said or f'of 1 videos (a: 60.2 and {seconds}.0 s)' in logged['warning'][0]


def test_video_shorter_than_a_clip_is_one_step_at_its_middle(tmp_path, logged):
    save_published(tmp_path / 'feats', 'a', 0.3)
    root = write_labels(tmp_path / 'labels', dict(a=['pour'] * 3))
    item = build(root, tmp_path / 'feats', clip_seconds=CLIP, stride_seconds=STRIDE)[0]
    assert (len(item['feats']), item['origin']) == (1, pytest.approx(0.15))
    assert logged['warning'] == []


def test_embeddings_that_say_nothing_of_when_or_are_not_finite_are_refused(tmp_path):
    root = write_labels(tmp_path / 'labels', dict(a=frames(10)))
    save(tmp_path / 'uniform', 'a', 10, times=[[0, 10]], sampling='uniform')
    with pytest.raises(ValueError, match='one vector per video'):
        build(root, tmp_path / 'uniform')
    save(tmp_path / 'feats', 'a', 10)
    np.save(tmp_path / 'feats/a_c.npy', np.full((39, DIMS), np.inf, np.float32))
    dataset = build(root, tmp_path / 'feats')
    with pytest.raises(ValueError, match='a in .*feats contains NaN or Inf'):
        dataset[0]
    with pytest.raises(ValueError, match='fps is 0; it must be a number above 0'):
        build(root, tmp_path / 'feats', fps=0)


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_workers_read_what_the_main_process_reads(tmp_path, method):
    for video_id in 'abc':
        save(tmp_path / 'feats', video_id, 10)
    root = write_labels(tmp_path / 'labels', dict.fromkeys('abc', frames(10)))
    dataset = build(root, tmp_path / 'feats', pipeline=PIPELINE, indices=2)
    here = dataset[1]
    if method == 'spawn':  # what a spawned worker gets
        there = pickle.loads(pickle.dumps(dataset))[1]
    else:
        loader = DataLoader(dataset, num_workers=1, collate_fn=pseudo_collate, multiprocessing_context='fork')
        batches = list(loader)
        assert len(batches) == 2
        there = dict(inputs=batches[1]['inputs'][0], data_samples=batches[1]['data_samples'][0])
    torch.testing.assert_close(there['inputs'], here['inputs'])
    assert there['data_samples'].step_labels.tolist() == [0] * 25 + [1] * 25
    assert there['data_samples'].video_id == 'b'


def test_metainfo_says_what_was_read(tmp_path):
    save(tmp_path / 'feats', 'a', 10)
    root = write_labels(tmp_path / 'labels', dict(a=frames(10)), train1=['b'], test1=['a'])
    dataset = build(root, tmp_path / 'feats', 'test')
    expected = dict(
        classes=('pour', 'stir', 'background'),
        folder=str(tmp_path / 'feats'),
        dims=DIMS,
        fold=1,
        split='test',
        missing=(),
        source=str(root / 'splits/test.split1.bundle'),
    )
    assert dataset.metainfo.items() >= expected.items()
    assert dataset.metainfo['settings']['model'] == 'twlv_base'
    # The files do not say how many frames.
    assert dataset.choices.items() >= dict(labels_per_second=FPS, frames_repeated=None).items()
    assert {'clip_seconds', 'stride_seconds'} < dataset.choices.keys()


def test_features_of_every_frame_of_elsewhere_are_read_as_they_are(tmp_path):
    (tmp_path / 'i3d').mkdir()
    features = np.random.default_rng(0).standard_normal((DIMS, 100)).astype(np.float32)
    np.save(tmp_path / 'i3d/a.npy', features)
    root = write_labels(tmp_path / 'labels', dict(a=frames(10)))
    # As published for 50Salads, GTEA and Breakfast: a column for each frame, made of the frames around it.
    said = dict(layout='DT', feat_stride=1, num_frames=21, offset_frames=0.5, default_fps=FPS)
    dataset = build(root, tmp_path / 'i3d', features=said, pipeline=[dict(type=AlignFeatures)])
    np.testing.assert_allclose(dataset[0]['feats'], features.T, atol=1e-6)
    with pytest.raises(ValueError, match='unknown frame rate'):
        build(root, tmp_path / 'i3d', features=dict(said, default_fps=None))
