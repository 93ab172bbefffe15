"""Labels and class counts that do not fit end a run before it starts."""

import numpy as np
import pytest
from mmaction.datasets import VideoDataset
from mmengine.dataset import ConcatDataset, RepeatDataset

from twlv_mm.engine import launch
from twlv_mm.recognition import check_labels

HOOK = 'default_hooks.check_labels.type=twlv_mm.CheckLabelsHook'


@pytest.fixture
def listed(tmp_path):
    """Make a dataset of a list file's lines."""

    def make(*lines, name='train.txt', **kwargs):
        (tmp_path / name).write_text('\n'.join(lines) + '\n')
        return VideoDataset(str(tmp_path / name), pipeline=[], **kwargs)

    return make


def test_labels_that_fit_pass(listed):
    assert check_labels(listed('a.mp4 0', 'b.mp4 4', 'c.mp4 2'), num_classes=5) == 4
    assert check_labels(listed('a.mp4 0', 'b.mp4 1', lazy_init=True), num_classes=2) == 1
    multi = listed('a.mp4 0 3', 'b.mp4 1', multi_class=True, num_classes=5)
    assert check_labels(multi, num_classes=5) == 3


def test_label_without_a_class_is_named_with_its_video_and_the_cure(listed):
    dataset = listed('a.mp4 1', 'b.mp4 5', 'c.mp4 2', 'd.mp4 7')
    message = (
        r'train\.txt: 2 of 4 videos have no label within 0 \.\.\. 4 \(num_classes=5.*b\.mp4 has 5; .*d\.mp4 has 7'
        r'.*count from 0.*model\.cls_head\.num_classes=8'
    )
    with pytest.raises(ValueError, match=message):
        check_labels(dataset, num_classes=5)


def test_videos_without_a_label_are_named(listed):
    with pytest.raises(
        ValueError, match=r'1 of 2 videos.*b\.mp4 has no label\. Classes count from 0: correct the list$'
    ):
        check_labels(listed('a.mp4 1', 'b.mp4'), num_classes=5)


def test_each_of_several_labels_is_checked(listed):
    dataset = listed('a.mp4 0 3', 'b.mp4 1 9', multi_class=True, num_classes=5)
    with pytest.raises(ValueError, match=r'b\.mp4 has \[1, 9\]'):
        check_labels(dataset, num_classes=5)


def test_labels_that_are_arrays_are_named_like_lists(listed):
    dataset = listed('a.mp4 0 3', 'b.mp4 1 9', multi_class=True, num_classes=5, serialize_data=False)
    for annotation in dataset.data_list:
        annotation['label'] = np.array(annotation['label'])
    with pytest.raises(ValueError, match=r'1 of 2 videos .*b\.mp4 has \[1, 9\]'):
        check_labels(dataset, num_classes=5)


def test_dataset_of_another_class_count_is_an_error(listed):
    dataset = listed('a.mp4 0 3', multi_class=True, num_classes=4)
    with pytest.raises(ValueError, match='read with num_classes=4, but the head has num_classes=5'):
        check_labels(dataset, num_classes=5)


def test_wrapped_datasets_are_looked_into(listed):
    good, bad = listed('a.mp4 0'), listed('b.mp4 2', name='more.txt')
    assert check_labels(ConcatDataset([good, bad]), num_classes=3) == 2
    for wrapper in (ConcatDataset([good, bad]), RepeatDataset(bad, times=3)):
        with pytest.raises(ValueError, match=r'more\.txt: 1 of 1 videos.*b\.mp4 has 2'):
            check_labels(wrapper, num_classes=2)


def test_nothing_to_check_is_an_error(listed):
    with pytest.raises(TypeError, match='labels of a list cannot be checked'):
        check_labels([1, 2], num_classes=5)
    with pytest.raises(ValueError, match=r'train\.txt lists no videos'):
        check_labels(listed('a.mp4 0', indices=0, serialize_data=False), num_classes=5)


@pytest.mark.parametrize('command', [launch.main_train, launch.main_test])
def test_run_ends_before_its_first_step(command, tiny_config, tiny_videos, tmp_path):
    for split in ('train', 'val'):
        with open(f'{tiny_videos.folder}/{split}.txt') as file:
            (tmp_path / f'{split}.txt').write_text(file.read().replace(' 1\n', ' 2\n'))
    loader = 'train' if command is launch.main_train else 'test'
    name = 'train' if loader == 'train' else 'val'
    options = [HOOK, f'{loader}_dataloader.dataset.ann_file={tmp_path}/{name}.txt']
    with pytest.raises(ValueError, match=rf'{name}\.txt: .* have no label within 0 \.\.\. 1 .*num_classes=3'):
        command([tiny_config, '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options])
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_validation_list_is_checked_before_training(tiny_config, tiny_videos, tmp_path):
    (tmp_path / 'val.txt').write_text('val_0.mp4 0\nval_1.mp4 3\n')
    options = [HOOK, f'val_dataloader.dataset.ann_file={tmp_path}/val.txt']
    with pytest.raises(ValueError, match=r'val\.txt: 1 of 2 .*val_1\.mp4 has 3'):
        launch.main_train([tiny_config, '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options])


def test_classes_that_no_video_has_are_a_warning(tiny_config, tmp_path):
    options = [HOOK, 'model.cls_head.num_classes=4', 'train_cfg.max_epochs=1', 'train_dataloader.num_workers=0']
    runner = launch.main_train([tiny_config, '--work-dir', str(tmp_path), '--no-validate', '--cfg-options', *options])
    log = next(tmp_path.glob(f'{runner.timestamp}/*.log')).read_text()
    assert 'num_classes=4, but the largest training label is 1' in log
