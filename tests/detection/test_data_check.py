"""Everything that is wrong with AVA's data is said at once, before the first epoch."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from torch import nn

from tests.detection.ava_files import build, dataset_config, row, write_set
from twlv_mm.detection.data_check import CheckAVAHook, check_config, check_datasets
from twlv_mm.synthetic import make_boxes

from ..commands import run_tool

ROOT = Path(__file__).resolve().parents[2]
KEYFRAMES = [(video, second) for video in 'ab' for second in (902, 905)]
PROPOSALS = {f'{video},{second:04d}': [[0.1, 0.1, 0.5, 0.9, 0.95]] for video, second in KEYFRAMES}


def head(num_classes):
    model = nn.Module()
    model.head = nn.Linear(1, 1)
    model.head.num_classes = num_classes
    return model


def errors_of(folder, num_classes=(), **options):
    return check_datasets([build(folder, **options)], num_classes).errors


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path, proposals=PROPOSALS)


def test_sound_data_have_no_errors(folder):
    report = check_datasets([build(folder, proposal_file=str(folder / 'proposals.json'))], [5])
    assert report == ([], [])


def test_generated_set_has_no_errors(tmp_path):
    folder = tmp_path / 'set'
    make_boxes(folder, seed=3, num_clips=2, workers=1)
    files = dict(
        ann_file=str(folder / 'ava_test.csv'),
        exclude_file=str(folder / 'ava_test_excluded_timestamps.csv'),
        label_file=str(folder / 'ava_action_list.pbtxt'),
        proposal_file=str(folder / 'ava_dense_proposals_test.json'),
        tube_file=str(folder / 'ava_test_tubes.csv'),
    )
    assert errors_of(folder, [17], **files) == []


def test_videos_that_are_missing_or_broken_are_counted_and_named(folder):
    (folder / 'videos/a.mp4').unlink()
    (folder / 'videos/b.mp4').write_bytes(b'no video')
    missing, broken = errors_of(folder)
    assert 'no file of 1 of 2 (a) videos' in missing
    assert '2 of 4 keyframes' in missing
    assert '1 videos cannot be read: ' in broken
    assert 'b.mp4 cannot be decoded' in broken
    (broken,) = errors_of(folder, skip_missing=True)
    assert 'b.mp4' in broken


def test_a_folder_without_pictures_is_an_error(folder):
    for video in 'ab':
        (folder / 'frames' / video).mkdir(parents=True)
    (error,) = errors_of(folder, use_frames=True, data_prefix=dict(img=str(folder / 'frames')))
    assert '2 videos cannot be read' in error
    assert 'has no images' in error


@pytest.mark.parametrize('numbers', [range(300), [*range(2, 300), 301, 302]], ids=['from 0', 'gap'])
def test_pictures_that_are_not_numbered_from_1_without_gaps_are_an_error(folder, numbers):
    for video in 'ab':
        (folder / 'frames' / video).mkdir(parents=True)
        for number in numbers:
            (folder / 'frames' / video / f'img_{number:05}.jpg').touch()
    (error,) = errors_of(folder, use_frames=True, data_prefix=dict(img=str(folder / 'frames')))
    assert 'a has 300 images, but no img_00300.jpg: number them from 1, without gaps' in error


@pytest.mark.parametrize(('offset', 'number'), [(0, 4), (894, 2)])
def test_keyframes_outside_of_their_video_are_an_error_that_explains_the_offset(folder, offset, number):
    (error,) = errors_of(folder, offset_seconds=offset)
    assert f'{number} of 4 keyframes' in error
    assert f'lasts 10 s, from {offset} to {offset + 10} s' in error
    assert 'set offset_seconds' in error


def test_keyframes_without_proposals_are_an_error_with_their_share(folder):
    (folder / 'proposals.json').write_text('{"a,0902": [[0.1, 0.1, 0.5, 0.9, 0.95]], "b,0902": []}')
    proposals = str(folder / 'proposals.json')
    (error,) = errors_of(folder, proposal_file=proposals)
    assert 'has no proposals of 3 of 4 (a,905, b,902, b,905) keyframes (75.0 %)' in error
    assert errors_of(folder, proposal_file=proposals, skip_missing=True) == []


def test_pixels_in_place_of_shares_are_an_error(folder):
    (folder / 'proposals.json').write_text('{"a,0902": [[20, 10, 50, 90, 0.95]]}')
    (error,) = errors_of(folder, proposal_file=str(folder / 'proposals.json'), skip_missing=True)
    assert 'proposals outside the image at 1 of 1 (a,902) keyframes' in error
    write_set(folder, ['a,0902,20,10,50,90,1,0', row('a', 905, 1)])
    (error,) = errors_of(folder)
    assert '1 of 2 rows' in error
    assert 'box outside the image, the first is 20, 10, 50, 90 of a at 902 s' in error


def test_proposals_with_width_and_height_are_an_error(folder):
    (folder / 'proposals.json').write_text(json.dumps(PROPOSALS | {'a,0905': [[0.6, 0.5, 0.2, 0.4, 0.95]]}))
    (error,) = errors_of(folder, proposal_file=str(folder / 'proposals.json'))
    assert 'proposals that end before they start at 1 of 4 (a,905) keyframes' in error
    assert 'x1, y1, x2, y2, not x, y, width, height' in error


def test_boxes_that_rounding_puts_outside_are_none(folder):
    write_set(folder, ['a,0902,-0.001,0,1.002,1,1,0', 'a,0905,,,,,,'])
    assert errors_of(folder) == []


def test_another_number_of_classes_in_the_model_is_an_error(folder):
    (error,) = errors_of(folder, [61, 5])
    assert 'the model has num_classes=61' in error
    assert '3 actions with ids from 1 to 4, which makes 5 with the unused column 0' in error


def test_actions_that_are_not_in_the_list_and_what_is_left_out_are_reported(folder):
    rows = [row('a', 902, 1), row('a', 902, 80), row('a', 905, 2), 'b,0902,0.1,0.1,0.1,0.3,1,0', 'b,0903,,,,,,']
    write_set(folder, rows)
    report = check_datasets([build(folder)])
    assert report.errors == []
    empty, unlisted, lost = report.warnings
    assert '1 rows' in empty
    assert 'without area and are left out, the first is of b at 902 s' in empty
    assert 'has 3 actions and' in unlisted
    assert '2 rows of the ids 2, 80 are left out' in unlisted
    assert '3 keyframes' in lost


def test_persons_without_a_tube_are_an_error(folder):
    rows = [f'{video},{second}.01,0.1,0.2,0.3,0.4,-1,0' for video, second in KEYFRAMES[:3]]
    (folder / 'tubes.csv').write_text('\n'.join([*rows, 'b,905.0,0.1,0.2,0.3,0.4,-1,7']))
    (error,) = errors_of(folder, tube_file=str(folder / 'tubes.csv'))
    assert 'no box at the keyframe of 1 of 4 (b,905 person 0) persons' in error


def test_hook_raises_everything_at_once_before_training(folder):
    (folder / 'videos/a.mp4').unlink()
    dataset = build(folder, offset_seconds=0)
    runner = SimpleNamespace(
        model=head(81),
        logger=logging.getLogger('test'),
        val_loop=None,
        train_dataloader=SimpleNamespace(dataset=dataset),
        test_dataloader=SimpleNamespace(dataset=build(folder, skip_missing=True)),
    )
    with pytest.raises(ValueError, match=r'(?s)num_classes=81.*no file of 1 of 2 \(a\).*not within their video'):
        CheckAVAHook().before_train(runner)
    runner.model = head(5)
    CheckAVAHook().before_test(runner)
    # Image models of others have been made for a number of classes, which is not the detector's.
    runner.model = nn.ModuleDict(dict(backbone=head(0), roi_head=head(5)))
    CheckAVAHook().before_test(runner)
    runner.test_dataloader.dataset = [1]
    with pytest.raises(TypeError, match='not list: remove the hook'):
        CheckAVAHook().before_test(runner)


def test_command_checks_all_data_sets_of_a_config_and_those_that_cannot_be_built(folder, monkeypatch, capsys):
    train = dict(dataset=dict(type='RepeatDataset', times=2, dataset=dataset_config(folder, offset_seconds=0)))
    test = dict(dataset=dataset_config(folder, ann_file=str(folder / 'none.csv')))
    cfg = Config(
        dict(
            model=dict(roi_head=[dict(num_classes=81)]),
            train_dataloader=train,
            val_dataloader=test,
            test_dataloader=test,
        )
    )
    errors = check_config(cfg).errors
    assert len(errors) == 3
    for part, error in zip(('num_classes=81', 'not within their video', 'file of annotations'), errors, strict=True):
        assert part in error
    cfg.dump(folder / 'config.py')
    options = ['--cfg-options', 'train_dataloader.dataset.dataset.offset_seconds=900']
    assert run_tool('data/ava/check.py', folder / 'config.py', *options) == 1
    printed = capsys.readouterr().out
    assert 'error: the model has num_classes=81' in printed
    assert '2 errors, 0 warnings' in printed


def test_proposals_that_are_refused_are_reported_with_the_rest(folder):
    (folder / 'proposals.pkl').write_bytes(b'cos\nsystem\n.')
    dataset = dataset_config(folder, proposal_file=str(folder / 'proposals.pkl'))
    (error,) = check_config(Config(dict(train_dataloader=dict(dataset=dataset)))).errors
    assert 'proposals.pkl: it holds os.system' in error


def test_data_of_the_base_config_are_read_from_where_it_expects_them(tmp_path, monkeypatch):
    made, data = tmp_path / 'made', tmp_path / 'data/ava'
    make_boxes(made, seed=4, num_clips=2, workers=1)
    (data / 'annotations').mkdir(parents=True)
    (data / 'videos').symlink_to(made / 'videos')
    for split, name in (('train', 'train'), ('test', 'val')):
        for old, new in (('', '_v2.2'), ('_excluded_timestamps', '_excluded_timestamps_v2.2')):
            (data / f'annotations/ava_{name}{new}.csv').symlink_to(made / f'ava_{split}{old}.csv')
    labels = data / 'annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt'
    labels.symlink_to(made / 'ava_action_list.pbtxt')
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/ava_video.py')
    assert check_config(cfg) == ([], [])
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        options = loader.dataset.to_dict()
        packed = build(data, **options)[0]
        assert packed['inputs'].shape[:2] == (3, 16)
        assert packed['data_samples'].key_frame == 8
