"""Videos in, boxes with their actions out, in a list and drawn on the video: those that a test run finds."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.detection.inferencer import DetectionInferencer
from twlv_mm.encoders import file_sha256
from twlv_mm.engine import launch
from twlv_mm.inference import infer_videos
from twlv_mm.video import ReadFault, open_video
from twlv_mm.visualization import class_colour

from ..commands import run_tool
from ..written import colour_mask, read_csv
from .stand_in import NAMES, SIZE, WhiteDetector, true_box, write_set

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two videos of 4.5 s, their annotations, a config, and a checkpoint that knows its classes."""
    folder = tmp_path_factory.mktemp('detection')
    write_set(folder)
    state = WhiteDetector().state_dict()
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=dict(classes=NAMES))), folder / 'epoch_1.pth')
    (folder / 'broken.mp4').write_text('not a video')
    return folder


@pytest.fixture(scope='module')
def config(folder):
    return str(folder / 'tiny.py')


@pytest.fixture(scope='module')
def inferencer(config, folder):
    return DetectionInferencer(config, folder / 'epoch_1.pth', 'cpu')


def test_boxes_and_actions_are_found_every_second(inferencer, folder):
    path = folder / 'videos/a.mp4'
    result = json.loads(json.dumps(inferencer(path), allow_nan=False))
    assert [one['time'] for one in result['keyframes']] == [0, 1, 2, 3, 4]
    for keyframe in result['keyframes']:
        (found,) = keyframe['predictions']
        assert found['box'] == pytest.approx(true_box(keyframe['time']), abs=0.02)
        assert found['pixels'] == pytest.approx(np.array(found['box']) * [160, 96, 160, 96], abs=0.06)
        assert [(one['label'], one['index']) for one in found['actions']] == [('stand', 1), ('walk', 2)]
        assert [one['score'] for one in found['actions']] == pytest.approx([0.9, 0.6])
    assert result['size'] == [160, 96]
    assert result['duration_seconds'] == 4.5
    assert result['model'] == dict(type='WhiteDetector', encoder=None)
    assert result['decoder']['name'] == 'av'
    assert result['checkpoint']['sha256'] == file_sha256(folder / 'epoch_1.pth')
    assert result['versions']['twlv_mm']


def test_boxes_are_those_of_a_test_run(inferencer, config, folder, tmp_path):
    launch.main_test([config, str(folder / 'epoch_1.pth'), '--work-dir', str(tmp_path)])
    (written,) = tmp_path.glob('*/predictions.csv')
    tested = [row for row in read_csv(written) if row[0] == 'a']
    found = inferencer(folder / 'videos/a.mp4', min_score=0.0021)['keyframes'][1:4]
    listed = [
        [900 + keyframe['time'], *one['box'], action['index'], action['score']]
        for keyframe in found
        for one in keyframe['predictions']
        for action in one['actions']
    ]
    assert len(listed) == len(tested) == 3 * 5
    np.testing.assert_allclose(sorted(listed), sorted([[*map(float, row[1:])] for row in tested]), atol=1e-4)


def test_trained_detector_finds_boxes_that_follow_through_the_clip(config, folder):
    cfg = Config.fromfile(config)
    cfg.model = dict(
        type='twlv_mm.SpatioTemporalDetector',
        data_preprocessor=cfg.model.data_preprocessor,
        backbone=dict(type='twlv_mm.VideoViT', arch='twlv_small_synthetic', depth=1, allow_random=True),
        decoder=dict(type='twlv_mm.FactorisedDecoder', in_channels=128, num_frames=16, num_queries=5, num_layers=1),
        head=dict(type='twlv_mm.TubeletHead', num_classes=len(NAMES), num_queries=5),
    )
    cfg.test_dataloader.dataset.pipeline[0].update(clip_len=16, seconds=2.0)
    init_default_scope('mmaction')
    state = MODELS.build(cfg.model).state_dict()
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=dict(classes=NAMES))), folder / 'detector.pth')
    result = DetectionInferencer(cfg, folder / 'detector.pth', 'cpu')(folder / 'videos/a.mp4', min_score=0)
    for keyframe in result['keyframes']:
        assert len(keyframe['predictions']) == 5
        for found in keyframe['predictions']:
            assert {action['label'] for action in found['actions']} == set(NAMES[1:])
            times, boxes = found['tube']['times'], found['tube']['boxes']
            assert boxes[times.index(keyframe['time'])] == pytest.approx(found['box'])


def test_interval_and_least_score_are_those_that_are_asked_for(inferencer, folder):
    path = folder / 'videos/a.mp4'
    keyframes = inferencer(path, interval_seconds=1.5, min_score=0.7)['keyframes']
    assert [one['time'] for one in keyframes] == [0, 1.5, 3]
    assert [[action['label'] for action in one['predictions'][0]['actions']] for one in keyframes] == [['stand']] * 3
    assert keyframes[1]['predictions'][0]['box'] == pytest.approx(true_box(1.5), abs=0.02)
    weak = inferencer(path, min_score=0.05)['keyframes'][0]['predictions']
    assert [len(one['actions']) for one in weak] == [3, 2]  # best first
    assert inferencer(path, min_score=1)['keyframes'][0]['predictions'] == []
    with pytest.raises(ValueError, match='interval_seconds is 0; it must be more than 0'):
        inferencer(path, interval_seconds=0)
    with pytest.raises(ValueError, match='min_score is 5; it must be from 0 to 1'):
        inferencer(path, min_score=5)


def test_names_are_those_given_or_of_the_training_or_numbers(config, folder):
    torch.save(WhiteDetector().state_dict(), folder / 'untold.pth')

    def named(**options):
        return DetectionInferencer(config, folder / 'untold.pth', 'cpu', **options).classes

    assert named() == ['0', '1', '2', '3']
    assert named(classes=['a', 'b', 'c']) == ['', 'a', 'b', 'c']
    (folder / 'some.pbtxt').write_text('item {\n  name: "walk"\n  id: 2\n}\n')
    assert named(classes=str(folder / 'some.pbtxt')) == ['', '', 'walk', '']
    some = DetectionInferencer(config, folder / 'epoch_1.pth', 'cpu', classes=str(folder / 'some.pbtxt'))
    (found,) = some(folder / 'videos/a.mp4')['keyframes'][0]['predictions']
    assert [one['label'] for one in found['actions']] == ['walk']
    with pytest.raises(ValueError, match='there are 2 class names, but the model has 3 classes'):
        named(classes=['a', 'b'])
    (folder / 'some.pbtxt').write_text('item {\n  name: "walk"\n  id: 80\n}\n')
    with pytest.raises(ValueError, match='has an action 80, but the model only those up to 3'):
        named(classes=str(folder / 'some.pbtxt'))


def test_model_and_pipeline_of_other_kinds_are_refused(config, folder, monkeypatch):
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.pipeline = cfg.test_dataloader.dataset.pipeline[2:]
    with pytest.raises(ValueError, match='has no SampleKeyframeClip'):
        DetectionInferencer(cfg, folder / 'epoch_1.pth', 'cpu')
    monkeypatch.setattr(WhiteDetector, 'roi_head', None, raising=False)
    with pytest.raises(ValueError, match='needs the boxes of a person detector'):
        DetectionInferencer(config, folder / 'epoch_1.pth', 'cpu')


def test_unreadable_videos_and_nan_scores_are_errors(inferencer, config, folder):
    with pytest.raises(ReadFault, match=r'broken\.mp4'):
        inferencer(folder / 'broken.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
        inferencer(folder / 'missing.mp4')
    with pytest.raises(ReadFault, match=r'broken\.mp4'):
        inferencer.draw(folder / 'broken.mp4', dict(keyframes=[]), folder / 'drawn.mp4')
    torch.save(dict(walk=torch.tensor(torch.nan)), folder / 'diverged.pth')
    inferencer = DetectionInferencer(config, folder / 'diverged.pth', 'cpu')
    with pytest.raises(ValueError, match='not finite: is the checkpoint of a run that diverged'):
        inferencer(folder / 'videos/a.mp4')


def columns_of(frame, colour):
    """The first and the last column of a colour, as shares, below where text stands."""
    rows = frame[frame.shape[0] * 2 // 3 : frame.shape[0] * 7 // 10]
    columns = np.nonzero(colour_mask(rows, colour, 60).any(axis=0))[0]
    return columns.min() / frame.shape[1], (columns.max() + 1) / frame.shape[1]


@pytest.mark.parametrize('tubes', [False, True])
def test_drawn_boxes_stay_until_the_next_keyframe_or_follow_their_tubes(tubes, config, folder, tmp_path):
    cfg = Config.fromfile(config)
    cfg.model.tubes = tubes
    cfg.test_dataloader.dataset.pipeline[0].update(clip_len=16, seconds=2.0)
    inferencer = DetectionInferencer(cfg, folder / 'epoch_1.pth', 'cpu')
    path = folder / 'videos/a.mp4'
    inferencer.draw(path, inferencer(path), tmp_path / 'drawn.mp4')
    with open_video(tmp_path / 'drawn.mp4') as video:
        frames = video.read(np.arange(len(video.frame_times)))
        assert video.frame_times[-1, 1] == pytest.approx(4.5, abs=0.01)
    assert frames.shape[1:3] == (4 * SIZE[0], 4 * SIZE[1])
    for number in (8, 12, 15, 20, 27):
        left, _, right, _ = true_box(number / 8 if tubes else number // 8)
        assert columns_of(frames[number], class_colour(1)) == pytest.approx((left, right), abs=0.02)


def test_folder_gives_a_video_each_and_a_line_an_action(inferencer, folder, tmp_path):
    summary = infer_videos(inferencer, folder / 'videos', tmp_path, interval_seconds=2)
    assert (summary.done, summary.failures) == (2, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'a.json', 'a.mp4', 'b.json', 'b.mp4', 'failures.jsonl', 'summary.csv',
    ]  # fmt: skip
    with (tmp_path / 'summary.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2
    assert list(rows[0]) == ['video_id', 'time', 'x1', 'y1', 'x2', 'y2', 'label', 'index', 'score']
    assert (rows[3]['video_id'], rows[3]['time'], rows[3]['label'], rows[3]['index']) == ('a', '2.000', 'walk', '2')
    assert [float(rows[3][name]) for name in ('x1', 'y1', 'x2', 'y2')] == pytest.approx(true_box(2), abs=0.02)


def test_command_takes_the_options_of_its_task(config, folder, tmp_path, capsys):
    options = ['--out', tmp_path, '--device', 'cpu']
    checkpoint = folder / 'epoch_1.pth'
    asked = ['--interval-seconds', 3, '--min-score', 0.8]
    assert run_tool('infer.py', config, checkpoint, folder / 'videos/a.mp4', *options, *asked) == 0
    keyframes = json.loads((tmp_path / 'a.json').read_text())['keyframes']
    assert [len(one['predictions'][0]['actions']) for one in keyframes] == [1, 1]
    assert run_tool('infer.py', config, checkpoint, folder / 'broken.mp4', *options) == 1
    capsys.readouterr()
    assert run_tool('infer.py', config, checkpoint, folder / 'videos', *options, '--top-k', 3) == 2
    assert '--top-k does not apply to' in capsys.readouterr().err
