"""Features that were made elsewhere are read as they are, by what is said of them, and nothing is guessed."""

import json

import numpy as np
import pytest
import torch

from twlv_mm.analysis.labelled_vectors import load_vectors
from twlv_mm.embeddings import EmbeddingFolder, load_matrix, verify, video_grid
from twlv_mm.recognition import LabelledEmbeddings

from ..payload import Call

T, D = 7, 4
FEATURES = np.random.default_rng(0).standard_normal((T, D)).astype(np.float32)
STRIDE = dict(feat_stride=4, num_frames=16)


@pytest.fixture
def folder(tmp_path):
    """Writes a file of features, and what is said of them."""

    def make(name='a.npy', array=FEATURES, **said):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith('.npz'):
            np.savez(path, **array if isinstance(array, dict) else dict(feats=array))
        elif name.endswith('.pt'):
            torch.save(array, path)
        else:
            np.save(path, array)
        if said:
            (tmp_path / 'twlv_features.json').write_text(json.dumps(said))
        return tmp_path

    return make


@pytest.mark.parametrize(
    ('name', 'array', 'said'),
    [
        ('a.npy', FEATURES, dict(layout='TD')),
        ('a.npy', FEATURES.T, dict(layout='DT')),
        ('a.npy', FEATURES.T, dict(dims=D)),
        ('a.npy', np.asfortranarray(FEATURES).astype(np.float64), dict(dims=D)),
        ('a.npy', FEATURES[None], dict(layout='TD')),
        ('a.npy', FEATURES[:, :, None, None], dict(layout='TD')),
        ('a.npz', FEATURES, dict(layout='TD')),
        ('a.npz', dict(feats=FEATURES, times=FEATURES[:1]), dict(layout='TD', key='feats')),
        ('a.pt', torch.tensor(FEATURES), dict(layout='TD')),
        ('a.pt', dict(feats=torch.tensor(FEATURES.T)), dict(layout='DT')),
        ('a.pt', torch.nn.Parameter(torch.tensor(FEATURES)), dict(layout='TD')),
        ('rgb_a-i3d.npy', FEATURES, dict(layout='TD', file_prefix='rgb_', file_ext='-i3d.npy')),
    ],
)
def test_every_layout_is_read_as_vectors_in_order_of_time(folder, name, array, said):
    found = EmbeddingFolder(folder(name, array, **said))
    assert found.video_ids == ['a']
    assert (found.format, found.dims, found.count('a')) == ('features', D, T)
    assert found.clips('a').dtype == np.float32
    np.testing.assert_array_equal(found.clips('a'), FEATURES)
    np.testing.assert_allclose(found.video('a'), FEATURES.mean(axis=0))


def test_half_precision_is_read(folder):
    found = EmbeddingFolder(folder('a.pt', torch.tensor(FEATURES).bfloat16(), layout='TD'))
    np.testing.assert_allclose(found.clips('a'), FEATURES, rtol=0.01)


@pytest.mark.parametrize('kind', [torch.int64, torch.complex64])
def test_other_tensors_than_of_real_numbers_are_refused(folder, kind):
    with pytest.raises(ValueError, match=r'a\.pt: expected floating-point numbers, found'):
        EmbeddingFolder(folder('a.pt', torch.ones(T, D, dtype=kind), layout='TD')).clips('a')


def test_one_vector_a_video_is_a_video_of_one_moment(folder):
    found = EmbeddingFolder(folder('a.npy', FEATURES[0], layout='TD'))
    np.testing.assert_array_equal(found.clips('a'), FEATURES[:1])


@pytest.mark.parametrize(
    ('array', 'said', 'error'),
    [
        (FEATURES[:D], dict(dims=D), r'the shape \(4, 4\) leaves open which axis is time: set layout'),
        (FEATURES, dict(dims=5), r'the shape \(7, 4\) does not have dims=5'),
        (np.zeros((2, 3, 4), np.float32), dict(layout='TD'), 'more axes than time'),
        (np.ones((T, D), np.int64), dict(layout='TD'), 'expected floating-point numbers, found int64'),
    ],
)
def test_array_that_can_be_read_in_two_ways_or_none_is_an_error_that_asks(folder, array, said, error):
    with pytest.raises(ValueError, match=r'a\.npy: .*' + error):
        EmbeddingFolder(folder('a.npy', array, **said)).clips('a')


@pytest.mark.parametrize(
    ('said', 'error'),
    [
        (dict(feat_stride=4), 'unknown which axis is time'),
        (dict(layout='TD', feat_stride=4), 'feat_stride is set without num_frames'),
        (dict(layout='TDC'), 'must be TD or DT'),
        (dict(layout='TD', stride=4), "unknown key 'stride'; choose from layout, dims"),
        (dict(layout='TD', default_fps=0), 'default_fps'),
        (dict(layout='TD', fps=[30]), 'is not a dict'),
    ],
)
def test_description_that_says_too_little_or_nonsense_names_its_file(folder, said, error):
    with pytest.raises(ValueError, match=r'twlv_features\.json: .*' + error):
        EmbeddingFolder(folder(**said))


def test_folder_without_description_asks_for_one(folder):
    with pytest.raises(
        FileNotFoundError, match=r'if files such as a\.npy are features of another tool, .* twlv_features\.json'
    ):
        EmbeddingFolder(folder())


def test_files_of_two_kinds_are_asked_about(folder):
    folder('b.npz')
    with pytest.raises(ValueError, match=r'files with \.npy and \.npz: set file_ext'):
        EmbeddingFolder(folder(layout='TD'))
    assert EmbeddingFolder(folder(layout='TD', file_ext='.npz')).video_ids == ['b']


def test_videos_of_different_width_are_asked_about(folder):
    folder('b.npy', FEATURES.T)
    found = EmbeddingFolder(folder(layout='TD'))
    found.clips('a')
    with pytest.raises(ValueError, match='or layout is wrong'):
        found.clips('b')


def test_frames_a_second_are_asked_for_and_the_first_middle_follows_the_windows(folder):
    found = EmbeddingFolder(folder(layout='TD', **STRIDE))
    assert found.times('a') is None
    with pytest.raises(ValueError, match='a vector every 4 frames of unknown frame rate'):
        video_grid(found, 'a')
    grid = video_grid(found, 'a', fps=25)
    assert grid == dict(origin=8 / 25, step=4 / 25, clip_seconds=16 / 25, num_clips=T)
    found = EmbeddingFolder(found.path, features=dict(default_fps=30, fps=dict(a=20), offset_frames=2))
    assert video_grid(found, 'a', fps=25) == dict(origin=0.1, step=0.2, clip_seconds=0.8, num_clips=T)
    np.testing.assert_allclose(found.times('a')[[0, -1]], [[-0.3, 0.5], [0.9, 1.7]])
    with pytest.raises(ValueError, match=r'stride_seconds=0\.25, but a in .* has 0\.2'):
        video_grid(found, 'a', stride_seconds=0.25)


def test_vectors_that_divide_the_whole_video_need_its_duration(folder):
    found = EmbeddingFolder(folder(layout='TD', feat_stride='video'))
    assert video_grid(found, 'a', duration=14.0) == dict(origin=1.0, step=2.0, clip_seconds=2.0, num_clips=T)
    with pytest.raises(ValueError, match='the duration of the video is unknown'):
        video_grid(found, 'a')


def test_seconds_of_a_config_are_enough_without_frames(folder):
    grid = video_grid(EmbeddingFolder(folder(layout='TD')), 'a', clip_seconds=1.0, stride_seconds=0.5)
    assert grid == dict(origin=0.5, step=0.5, clip_seconds=1.0, num_clips=T)


def test_matrix_is_rebuilt_for_another_layout(folder):
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_array_equal(load_matrix(str(folder('a.npy', square, layout='TD')), 'clip').vectors, square)
    np.testing.assert_array_equal(load_matrix(str(folder('a.npy', square, layout='DT')), 'clip').vectors, square.T)


def test_verification_says_that_it_is_for_embeddings(folder):
    with pytest.raises(ValueError, match='of another tool'):
        verify(str(folder(layout='TD')))


def test_pickle_payload_in_features_does_not_run(folder, tmp_path):
    path = folder('a.pt', FEATURES, layout='TD') / 'a.pt'
    torch.save(Call((tmp_path / 'ran').touch), path)
    with pytest.raises(ValueError, match=r'a\.pt'):
        EmbeddingFolder(tmp_path).clips('a')
    np.save(tmp_path / 'b.npy', np.array([Call((tmp_path / 'ran').touch)], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r'b\.npy'):
        EmbeddingFolder(tmp_path, features=dict(file_ext='.npy')).clips('b')
    assert not (tmp_path / 'ran').exists()


def test_labels_of_a_list_find_features_in_one_folder(folder, tmp_path):
    features = folder('feats/b.npy', FEATURES + 1) / 'feats'
    folder('feats/a.npy')
    (features / 'twlv_features.json').write_text('{"layout": "TD"}')
    (tmp_path / 'list.txt').write_text('run/a.mp4 0\nsit/b.mp4 1\nsit/gone.mp4 1\n')
    videos = LabelledEmbeddings(str(features), 'video', str(tmp_path / 'list.txt'))
    assert videos.labels.tolist() == [0, 1]
    assert videos.missing == ['sit/gone']
    np.testing.assert_allclose(videos.vectors, [FEATURES.mean(axis=0), FEATURES.mean(axis=0) + 1], rtol=1e-5)
    points = load_vectors(str(features), ann_file=str(tmp_path / 'list.txt'))
    assert points.class_of() == dict(a='0', b='1')
