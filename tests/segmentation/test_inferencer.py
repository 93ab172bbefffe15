"""Videos in, the action of every moment out: that which a test run finds."""

import csv
import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.encoders import file_sha256, get_model
from twlv_mm.engine import launch
from twlv_mm.inference import infer_videos
from twlv_mm.segmentation.dataset import SegmentationDataset
from twlv_mm.segmentation.inferencer import SegmentationInferencer
from twlv_mm.synthetic import item_rng, write_video
from twlv_mm.synthetic.untrimmed import render_untrimmed
from twlv_mm.video import ReadFault
from twlv_mm.visualization.colours import class_colour

ROOT = Path(__file__).resolve().parents[2]
VIDEO_FPS, LABEL_FPS = 8, 4
NUM_LABELS = {'match.1': 25, 'short': 6}  # of 6.25 and 1.375 seconds
NAMES = ['serve', 'return', 'rest', 'background']
CONFIG = """
default_scope = 'mmaction'
encoder_weights = None
extraction = dict(
    encoder=dict(arch='twlv_small_synthetic', weights=encoder_weights, depth=1, allow_random=True),
    sampling='multi-clip', clip_seconds=2.0, stride_seconds=0.5, batch_size=4,
    splits=dict(test='<folder>/videos'), out='<folder>/embeddings', workers=0)
model = dict(type='twlv_mm.ASFormer', num_classes=4, in_channels=128, channels=16, num_layers=3, num_decoders=1)
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='twlv_mm.SegmentationDataset', data_root='<folder>', split='test', fps=4,
                 folder='<folder>/embeddings/multi-clip/test', test_mode=True,
                 pipeline=[dict(type='twlv_mm.AlignFeatures', alignment='<alignment>', subsampling=2),
                           dict(type='twlv_mm.PackSegmentation')]))
test_evaluator = dict(type='twlv_mm.SegmentationMetric')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    results=dict(type='twlv_mm.ResultsHook', task='segmentation', dataset='tiny', protocol=dict()))
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """videos: one of six seconds, one shorter than a clip; their labels; a file that is no video elsewhere."""
    folder = tmp_path_factory.mktemp('segmentation')
    for name in ('videos', 'groundTruth', 'splits'):
        (folder / name).mkdir()
    frames, _ = render_untrimmed(item_rng(0, 'test', 0), 'test')
    write_video(folder / 'videos/match.1.mp4', frames[:50], VIDEO_FPS)
    write_video(folder / 'videos/short.mp4', frames[20:31], VIDEO_FPS)
    (folder / 'broken.mp4').write_text('not a video')
    (folder / 'mapping.txt').write_text(''.join(f'{index} {name}\n' for index, name in enumerate(NAMES)))
    for name, count in NUM_LABELS.items():
        (folder / f'groundTruth/{name}.txt').write_text('serve\n' * count)
    (folder / 'splits/test.split1.bundle').write_text(''.join(f'{name}.txt\n' for name in NUM_LABELS))
    (folder / 'splits/train.split1.bundle').write_text('another.txt\n')
    return folder


def write_config(folder, alignment='time'):
    path = folder / f'{alignment}.py'
    path.write_text(CONFIG.replace('<folder>', str(folder)).replace('<alignment>', alignment))
    return str(path)


@pytest.fixture(scope='module')
def config(folder):
    return write_config(folder)


def write_checkpoint(cfg, path, **meta):
    """A checkpoint of a config's model, random, that changes its mind now and then."""
    torch.manual_seed(2)
    init_default_scope('mmaction')
    model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if 'conv_out' in name:
            torch.nn.init.normal_(parameter)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return str(path)


@pytest.fixture(scope='module')
def checkpoint(config, folder):
    """A checkpoint that knows its embeddings, which are extracted first."""
    cfg = Config.fromfile(config)
    untold = write_checkpoint(cfg, folder / 'untold.pth')
    launch.main_test([config, untold, '--work-dir', str(folder / 'extracted')])
    dataset = SegmentationDataset(**{k: v for k, v in cfg.test_dataloader.dataset.items() if k != 'type'})
    return write_checkpoint(cfg, folder / 'epoch_1.pth', dataset_meta=dataset.metainfo)


@pytest.fixture(scope='module')
def inferencer(config, checkpoint):
    return SegmentationInferencer(config, checkpoint, 'cpu')


@pytest.mark.parametrize('alignment', ['time', 'stretch'])
def test_labels_are_those_of_a_test_run(checkpoint, folder, tmp_path, alignment):
    config = write_config(folder, alignment)
    launch.main_test([config, checkpoint, '--work-dir', str(tmp_path)])
    (written,) = tmp_path.glob('*/predictions.json')
    tested = json.loads(written.read_text())['videos']
    inferencer = SegmentationInferencer(config, checkpoint, 'cpu')
    for name, count in NUM_LABELS.items():
        result = inferencer(folder / f'videos/{name}.mp4')
        segments = tested[name]['predicted']
        assert len(segments) > (2 if name == 'match.1' else 0)
        expected = np.concatenate([[label] * (end - start) for label, start, end in segments])
        assert len(expected) == count
        np.testing.assert_array_equal(result['frames'], expected)
        assert [one['index'] for one in result['predictions']] == [label for label, _, _ in segments]
        starts = [start / LABEL_FPS for _, start, _ in segments]
        np.testing.assert_allclose([one['start'] for one in result['predictions']], starts)


def test_segments_cover_the_video_and_have_the_mean_probability_of_their_steps(inferencer, folder, monkeypatch):
    steps, scores = torch.tensor([3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]), torch.linspace(0.2, 0.8, 13)

    def test_step(batch):
        (sample,) = batch['data_samples']
        assert (sample.frame_labels == -100).all()
        sample.pred_steps, sample.pred_scores = steps, scores
        return [sample]

    monkeypatch.setattr(inferencer.model, 'test_step', test_step)
    result = inferencer(folder / 'videos/match.1.mp4')
    assert result['frames'] == [3] * 4 + [1] * 20 + [0]
    assert result['predictions'] == [
        dict(label='background', index=3, start=0.0, end=1.0, score=pytest.approx(0.225)),
        dict(label='return', index=1, start=1.0, end=6.0, score=pytest.approx(0.525)),
        dict(label='serve', index=0, start=6.0, end=pytest.approx(6.25), score=pytest.approx(0.8)),
    ]


def test_video_shorter_than_a_label_has_one(config, checkpoint, folder):
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.fps = 0.1
    result = SegmentationInferencer(cfg, checkpoint, 'cpu')(folder / 'videos/short.mp4')
    assert len(result['frames']) == 1
    (segment,) = result['predictions']
    assert (segment['start'], segment['end']) == (0.0, pytest.approx(11 / VIDEO_FPS))


def test_result_says_what_it_was_made_with(inferencer, config, checkpoint, folder):
    path = folder / 'videos/match.1.mp4'
    result = json.loads(json.dumps(inferencer(path), allow_nan=False))
    assert result['video'] == str(path)
    assert result['duration_seconds'] == pytest.approx(50 / VIDEO_FPS)
    assert result['fps'] == LABEL_FPS
    assert all(one['label'] == NAMES[one['index']] for one in result['predictions'])
    assert all(0.25 <= one['score'] <= 1 for one in result['predictions'])
    assert result['model'] == dict(type='ASFormer')
    assert result['encoder'] == dict(
        name='twlv_small_synthetic', weights_sha256=None, clip_seconds=2.0, stride_seconds=0.5
    )
    assert result['config'] == config
    assert result['checkpoint'] == dict(path=checkpoint, sha256=file_sha256(checkpoint))
    assert (result['decoder']['name'], bool(result['decoder']['version'])) == ('av', True)
    assert result['versions']['twlv_mm']


def test_names_are_those_given_or_of_the_training_or_numbers(config, checkpoint, folder):
    assert SegmentationInferencer(config, checkpoint, 'cpu').classes == NAMES
    assert SegmentationInferencer(config, checkpoint, 'cpu', classes=['a', 'b', 'c', 'd']).classes == [*'abcd']
    with pytest.warns(UserWarning, match=r'untold\.pth does not say which embeddings it was trained on'):
        assert SegmentationInferencer(config, folder / 'untold.pth', 'cpu').classes == ['0', '1', '2', '3']
    with pytest.raises(ValueError, match='there are 2 class names, but the model has 4 classes'):
        SegmentationInferencer(config, checkpoint, 'cpu', classes=['a', 'b'])


def test_what_is_not_segmentation_or_of_another_encoder_is_refused(config, checkpoint, folder):
    weights = folder / 'encoder.pth'
    torch.save(get_model('twlv_small_synthetic', depth=1).state_dict(), weights)
    with pytest.raises(ValueError, match=r'(?s)epoch_1\.pth was trained on other .*weights_sha256 \(None and'):
        SegmentationInferencer(config, checkpoint, 'cpu', encoder_weights=str(weights))
    cfg = Config.fromfile(config)
    del cfg.test_dataloader.dataset['fps']
    with pytest.raises(ValueError, match=r'test_dataloader\.dataset of .*time\.py has no fps'):
        SegmentationInferencer(cfg, checkpoint, 'cpu')
    cfg.model = dict(type='twlv_mm.ActionFormer', num_classes=4, in_channels=128, channels=16, arch=(1, 1, 1), window=5)
    cfg.model.regression_ranges = ((0, 4), (4, 10000))
    with pytest.raises(ValueError, match=r'is a ActionFormer: give the config of an ASFormer'):
        SegmentationInferencer(cfg, write_checkpoint(cfg, folder / 'actionformer.pth'), 'cpu')


def test_video_that_cannot_be_read_is_an_error_that_names_it(inferencer, folder):
    with pytest.raises(ReadFault, match=r'broken\.mp4 cannot be decoded'):
        inferencer(folder / 'broken.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*missing\.mp4'):
        inferencer(folder / 'missing.mp4')


def test_folder_gives_a_line_a_segment(inferencer, folder, tmp_path):
    assert infer_videos(inferencer, folder / 'videos', tmp_path).done == 2
    with (tmp_path / 'summary.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['video_id', 'label', 'index', 'start', 'end', 'score']
    segments = json.loads((tmp_path / 'match.1.json').read_text())['predictions']
    lines = [row for row in rows if row['video_id'] == 'match.1']
    assert [(row['label'], float(row['start']), float(row['end'])) for row in lines] == [
        (one['label'], pytest.approx(one['start'], abs=1e-3), pytest.approx(one['end'], abs=1e-3)) for one in segments
    ]


def test_picture_shows_the_frames_and_a_bar_a_segment(inferencer, folder, tmp_path):
    path = folder / 'videos/match.1.mp4'
    result = inferencer(path)
    result['predictions'] = [
        dict(label='background', index=3, start=0.0, end=2.0, score=1.0),
        dict(label='return', index=1, start=2.0, end=6.25, score=1.0),
    ]
    inferencer.draw(path, result, tmp_path / 'drawn.png')
    picture = cv2.imread(str(tmp_path / 'drawn.png'))
    shares = {}
    for name, colour in (('return', class_colour(1)), ('background', (0.88,) * 3)):
        of_it = np.abs(picture - np.round(255 * np.array(colour))[::-1]).max(axis=-1) <= 2
        shares[name] = of_it.sum(axis=1).max() / picture.shape[1]  # the bar is its longest row
    assert shares['return'] / shares['background'] == pytest.approx(4.25 / 2, rel=0.05)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500  # a picture without frames has some shades


def run_tool(*arguments):
    """Exit code of tools/infer.py."""
    path = str(ROOT / 'tools/infer.py')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [path, *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(path, run_name='__main__')
    return left.value.code


def test_command_segments_videos(config, checkpoint, folder, tmp_path, capsys):
    arguments = [config, checkpoint, folder / 'videos/match.1.mp4', '--out', tmp_path, '--device', 'cpu']
    assert run_tool(*arguments) == 0
    assert len(json.loads((tmp_path / 'match.1.json').read_text())['frames']) == NUM_LABELS['match.1']
    assert (tmp_path / 'match.1.png').is_file()
    assert run_tool(*arguments, '--top-k', 3) == 2
    assert '--top-k does not apply to' in capsys.readouterr().err
    assert run_tool(*arguments, '--encoder-weights', 'gone.pth') == 2
    assert 'no weights at gone.pth' in capsys.readouterr().err
