"""Videos in, the action of every moment out: that which a test run finds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from twlv_mm.engine import launch
from twlv_mm.segmentation.inferencer import SegmentationInferencer
from twlv_mm.visualization.colours import class_colour

from ..commands import run_tool
from ..inference.segments import EXTRACTION, FPS, SharedTests, write_checkpoint, write_checkpoints, write_videos
from ..written import colour_mask, shades
from .label_files import write_labels

ROOT = Path(__file__).resolve().parents[2]
LABEL_FPS = 4
NUM_LABELS = {'match.1': 25, 'short': 6}  # of 6.25 and 1.375 seconds
NAMES = ['serve', 'return', 'rest', 'background']
# So that the classes change now and then.
WIDE = dict(part='conv_out', seed=2)
CONFIG = """
model = dict(type='twlv_mm.ASFormer', num_classes=4, in_channels=128, channels=16, num_layers=3, num_decoders=1)
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='twlv_mm.SegmentationDataset', data_root='<folder>', split='test', fps=4,
                 folder='<folder>/embeddings/multi-clip/test', test_mode=True,
                 pipeline=[dict(type='twlv_mm.AlignFeatures', alignment='<alignment>', subsampling=2),
                           dict(type='twlv_mm.PackSegmentation')]))
test_evaluator = dict(type='twlv_mm.SegmentationMetric')
default_hooks = dict(
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    results=dict(type='twlv_mm.ResultsHook', task='segmentation', dataset='tiny', protocol=dict()))
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """videos: one of six seconds, one shorter than a clip; their labels; a file that is no video elsewhere."""
    folder = tmp_path_factory.mktemp('segmentation')
    write_videos(folder)
    labels = {name: ['serve'] * count for name, count in NUM_LABELS.items()}
    return write_labels(folder, labels, NAMES, test1=list(labels), train1=['another'])


def write_config(folder, alignment='time'):
    path = folder / f'{alignment}.py'
    path.write_text((EXTRACTION + CONFIG).replace('<folder>', str(folder)).replace('<alignment>', alignment))
    return str(path)


@pytest.fixture(scope='module')
def config(folder):
    return write_config(folder)


@pytest.fixture(scope='module')
def checkpoint(config, folder):
    return write_checkpoints(config, folder, **WIDE)


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


def test_video_shorter_than_one_label_gets_one_label(config, checkpoint, folder):
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.fps = 0.1
    result = SegmentationInferencer(cfg, checkpoint, 'cpu')(folder / 'videos/short.mp4')
    assert len(result['frames']) == 1
    (segment,) = result['predictions']
    assert (segment['start'], segment['end']) == (0.0, pytest.approx(11 / FPS))


class TestWhatAllHave(SharedTests):
    pass


def test_what_is_not_segmentation_is_refused(config, checkpoint, folder):
    cfg = Config.fromfile(config)
    del cfg.test_dataloader.dataset['fps']
    with pytest.raises(ValueError, match=r'test_dataloader\.dataset of .*time\.py has no fps'):
        SegmentationInferencer(cfg, checkpoint, 'cpu')
    cfg.model = dict(type='twlv_mm.ActionFormer', num_classes=4, in_channels=128, channels=16, arch=(1, 1, 1), window=5)
    cfg.model.regression_ranges = ((0, 4), (4, 10000))
    with pytest.raises(ValueError, match=r'is a ActionFormer: give the config of an ASFormer'):
        SegmentationInferencer(cfg, write_checkpoint(cfg, folder / 'actionformer.pth', **WIDE), 'cpu')


def test_picture_shows_the_frames_and_a_bar_a_segment(inferencer, folder, tmp_path):
    path = folder / 'videos/match.1.mp4'
    result = inferencer(path)
    result['predictions'] = [
        dict(label='background', index=3, start=0.0, end=2.0, score=1.0),
        dict(label='return', index=1, start=2.0, end=6.25, score=1.0),
    ]
    inferencer.draw(path, result, tmp_path / 'drawn.png')
    masks = (colour_mask(tmp_path / 'drawn.png', colour) for colour in (class_colour(1), (0.88,) * 3))
    bar, background = (mask.sum(axis=1).max() for mask in masks)  # a bar is the longest row of its colour
    assert bar / background == pytest.approx(4.25 / 2, rel=0.05)
    assert shades(tmp_path / 'drawn.png') > 500


def test_command_segments_videos(config, checkpoint, folder, tmp_path, capsys):
    arguments = [config, checkpoint, folder / 'videos/match.1.mp4', '--out', tmp_path, '--device', 'cpu']
    assert run_tool('infer.py', *arguments) == 0
    assert len(json.loads((tmp_path / 'match.1.json').read_text())['frames']) == NUM_LABELS['match.1']
    assert (tmp_path / 'match.1.png').is_file()
    assert run_tool('infer.py', *arguments, '--top-k', 3) == 2
    assert '--top-k does not apply to' in capsys.readouterr().err
