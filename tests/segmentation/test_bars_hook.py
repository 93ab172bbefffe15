"""tools/test.py --show-dir draws the predicted labels beneath the true ones."""

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample

from twlv_mm.engine import launch
from twlv_mm.segmentation.bars_hook import SegmentationVisualizationHook
from twlv_mm.synthetic import write_video
from twlv_mm.visualization.colours import class_colour

from ..inference.drawing import let_draw
from ..written import colour_mask, shades
from .label_files import write_labels

CLASSES = ('cut', 'stir', 'background')
GREY = (0.88, 0.88, 0.88)


def bar_of(path, colour):
    """First and last column of a colour, and the middle of its rows, in pixels; letters and the legend do not count."""
    hit = colour_mask(path, colour)
    columns = np.flatnonzero(hit.sum(axis=0) > 30)
    return columns[0], columns[-1], np.median(np.nonzero(hit[:, columns])[0])


def sample_of(video_id, labels, steps, subsampling=2, fps=2.0):
    meta = dict(video_id=video_id, duration=len(labels) / fps, fps=fps, num_frames=len(labels), subsampling=subsampling)
    sample = ActionDataSample(metainfo=meta)
    sample.frame_labels, sample.pred_steps = torch.tensor(labels), torch.tensor(steps)
    return sample


def test_truth_is_above_what_was_predicted_at_the_same_times(tmp_path):
    hook = SegmentationVisualizationHook(enable=True, out_dir=str(tmp_path))
    # 21 frames: 'cut' is from 4 to 11, and 'stir' was predicted from 12 on, in 5 steps, the last of which is one frame.
    let_draw(hook, CLASSES, [sample_of('a', [2] * 4 + [0] * 7 + [2] * 10, [2] * 6 + [1] * 5)])
    true, predicted, grey = (bar_of(tmp_path / 'a.png', colour) for colour in (class_colour(0), class_colour(1), GREY))
    frame = (predicted[1] - grey[0]) / 21
    assert true[0] - grey[0] == pytest.approx(4 * frame, abs=2)
    assert true[1] - grey[0] == pytest.approx(11 * frame, abs=2)
    assert predicted[0] - grey[0] == pytest.approx(12 * frame, abs=2)
    assert grey[1] == pytest.approx(predicted[1], abs=2)  # that of the truth goes to the end, too
    assert true[2] < predicted[2]


def test_videos_without_a_file_are_counted(tmp_path):
    (tmp_path / 'videos').mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 3), np.uint8)
    write_video(tmp_path / 'videos/a.mp4', noise)
    hook = SegmentationVisualizationHook(enable=True, out_dir=str(tmp_path), videos=str(tmp_path / 'videos'))
    samples = [sample_of(video_id, [0] * 8, [1] * 4) for video_id in 'ab']
    (warning,) = let_draw(hook, CLASSES, samples)
    assert warning.startswith(f'1 timelines in {tmp_path} have no frames, the first that of b: ')
    assert shades(tmp_path / 'a.png') > 3 * shades(tmp_path / 'b.png')


def test_what_cannot_be_done_is_refused_by_its_own_name():
    with pytest.raises(ValueError, match='SegmentationVisualizationHook has no folder to draw to'):
        SegmentationVisualizationHook(enable=True)


CONFIG = """
default_scope = 'mmaction'
model = dict(type='twlv_mm.ASFormer', num_classes=3, in_channels=4, channels=8, num_layers=2, num_decoders=1)
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='twlv_mm.SegmentationDataset', data_root='<folder>', folder='<folder>/embeddings', split='test', fps=10,
        clip_seconds=0.5, stride_seconds=0.25, test_mode=True,
        pipeline=[dict(type='twlv_mm.AlignFeatures', subsampling=2), dict(type='twlv_mm.PackSegmentation')]))
test_evaluator = [dict(type='twlv_mm.SegmentationMetric'),
                  dict(type='twlv_mm.SegmentationMetric', published=True, prefix='published')]
test_cfg = dict(type='TestLoop')
default_hooks = dict(visualization=dict(type='twlv_mm.SegmentationVisualizationHook'))
"""


def test_command_scores_and_draws_only_when_it_is_asked_to(tmp_path):
    labels = dict.fromkeys('abct', ['cut'] * 25 + ['background'] * 24)
    write_labels(tmp_path, labels, CLASSES, train1=['t'], test1=list('abc'))
    (tmp_path / 'embeddings').mkdir()
    for video_id in labels:
        np.save(tmp_path / f'embeddings/{video_id}_c.npy', np.ones((18, 4), np.float32))
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.replace('<folder>', str(tmp_path)))
    command = [str(config), '--work-dir', str(tmp_path / 'run')]
    launch.main_test(command)
    assert not list(tmp_path.rglob('*.png'))
    assert len(list(tmp_path.rglob('predictions.json'))) == 1
    launch.main_test([*command, '--show-dir', str(tmp_path / 'drawn'), '--interval', '2'])
    assert sorted(path.name for path in (tmp_path / 'drawn').iterdir()) == ['a.png', 'c.png']
