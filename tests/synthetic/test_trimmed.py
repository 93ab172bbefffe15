"""The trimmed set and the images: written, read back with mmaction2's loader and compared with the truth."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from twlv_mm.synthetic import APPEARANCES, MOTIONS, item_rng, make_images, make_trimmed, render_clip, write_video

CONFIGS = Path(__file__).parents[2] / 'configs/synthetic'
NUMBERS = dict(num_train=8, num_test=4)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('synthetic') / 'trimmed'
    make_trimmed(folder, seed=4, workers=1, **NUMBERS)
    return folder


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_same_seed_gives_the_same_bytes_with_any_number_of_workers(folder, tmp_path):
    make_trimmed(tmp_path / 'again', seed=4, workers=2, **NUMBERS)
    assert content(tmp_path / 'again') == content(folder)


def test_other_seed_gives_other_videos(folder, tmp_path):
    make_trimmed(tmp_path / 'other', seed=5, workers=1, **NUMBERS)
    assert content(tmp_path / 'other')['train/00000.mp4'] != content(folder)['train/00000.mp4']


@pytest.mark.parametrize('label', ['appearance', 'motion'])
def test_mmaction2_reads_the_frames_and_labels_of_the_generator(folder, label):
    import mmaction.datasets  # noqa: F401

    init_default_scope('mmaction')
    config = Config.fromfile(CONFIGS / f'{label}_finetune.py').test_dataloader.dataset
    dataset = DATASETS.build({**config, 'data_root': str(folder)})
    assert len(dataset) == NUMBERS['num_test']
    for index in range(len(dataset)):
        frames, *labels = render_clip(item_rng(4, 'test', index), 'test')
        packed = dataset[index]
        true = APPEARANCES.index(labels[0]) if label == 'appearance' else MOTIONS.index(labels[1])
        assert packed['data_samples'].gt_label.item() == true
        small = np.stack([cv2.resize(frame, (32, 32)) for frame in frames]).astype(int)
        read = packed['inputs'][0].permute(1, 2, 3, 0).numpy()
        assert np.abs(read - small).mean() < 6


def test_both_labels_at_once_are_two_classes_of_sixteen(folder):
    import mmaction.datasets  # noqa: F401

    init_default_scope('mmaction')
    config = Config.fromfile(CONFIGS / 'both_finetune.py').train_dataloader.dataset
    dataset = DATASETS.build({**config, 'data_root': str(folder)})
    _, appearance, motion = render_clip(item_rng(4, 'train', 0), 'train')
    classes = dataset[0]['data_samples'].gt_label.nonzero().flatten().tolist()
    assert classes == [APPEARANCES.index(appearance), 8 + MOTIONS.index(motion)]
    names = (folder / 'classes_both.txt').read_text().split()
    assert [names[i] for i in classes] == [appearance, motion]


def test_appearance_and_motion_are_drawn_independently():
    table = np.zeros((8, 8))
    for index in range(1500):
        rng = item_rng(0, 'train', index)
        table[rng.integers(8), rng.integers(8)] += 1
    labels = [render_clip(item_rng(0, 'train', index), 'train', num_frames=1)[1:] for index in range(3)]
    drawn = [item_rng(0, 'train', index) for index in range(3)]
    assert labels == [(APPEARANCES[rng.integers(8)], MOTIONS[rng.integers(8)]) for rng in drawn]
    expected = table.sum() / 64
    assert ((table - expected) ** 2 / expected).sum() < 104  # chi-squared with 63 degrees of freedom, p = 0.001


def test_images_are_in_imagenets_layout(tmp_path):
    make_images(tmp_path / 'images', seed=1, workers=1, num_train=6, num_test=3)
    files = sorted((tmp_path / 'images').glob('*/*/*.png'))
    assert sorted(path.parts[-3] for path in files) == ['train'] * 6 + ['val'] * 3
    for path in files:
        split = dict(train='train', val='test')[path.parts[-3]]
        frames, appearance, _ = render_clip(item_rng(1, split, int(path.stem)), split, num_frames=1)
        assert path.parts[-2] == appearance
        np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], frames[0])


def test_every_frame_of_a_video_is_coded_by_itself_and_half_a_video_has_no_name(tmp_path):
    frames, *_ = render_clip(np.random.default_rng(0), 'train')
    write_video(tmp_path / 'a.mp4', frames, fps=8)
    with av.open(str(tmp_path / 'a.mp4')) as container:
        assert container.streams.video[0].average_rate == 8
        assert [frame.key_frame for frame in container.decode(video=0)] == [True] * 16

    def broken():
        yield frames[0]
        raise OSError('no more')

    with pytest.raises(OSError, match='no more'):
        write_video(tmp_path / 'b.mp4', broken())
    assert not (tmp_path / 'b.mp4').exists()
    with pytest.raises(ValueError, match='even height and width'):
        write_video(tmp_path / 'c.mp4', frames[:, :31])
