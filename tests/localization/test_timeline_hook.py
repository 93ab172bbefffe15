"""tools/test.py --show-dir draws what was found beneath what is annotated."""

import json

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from twlv_mm.engine import launch
from twlv_mm.localization import LocalizationVisualizationHook
from twlv_mm.synthetic import write_video
from twlv_mm.visualization.colours import class_colour

from ..embeddings.saved import save
from ..inference.drawing import let_draw
from ..written import pixels_of, shades

CONFIG = """
default_scope = 'mmaction'
model = dict(
    type='twlv_mm.ActionFormer', num_classes=2, in_channels=4, channels=16, arch=(1, 1, 0), window=5,
    regression_ranges=((0, 10000), ))
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='twlv_mm.LocalizationDataset', ann_file='<folder>/actions.json', folder='<folder>/embeddings',
                 classes=['serve', 'return'], test_mode=True, pipeline=[dict(type='twlv_mm.PackLocalization')]))
test_evaluator = dict(type='twlv_mm.LocalizationMAP', ann_file='<folder>/actions.json', subset=None,
                      classes=['serve', 'return'], iou_thresholds=[0.5])
test_cfg = dict(type='TestLoop')
default_hooks = dict(visualization=dict(type='twlv_mm.LocalizationVisualizationHook'))
"""


def columns_of(path, colour):
    return pixels_of(path, colour)[1]


def sample_of(video_id, segments=(), scores=(), labels=(), truth=((3, 5),)):
    """What a model returns for a video of 20 s whose step g is the time 0.5 + 2 g."""
    sample = ActionDataSample(metainfo=dict(video_id=video_id, duration=20.0, origin=0.5, step=2.0))
    sample.gt_instances = InstanceData(
        segments=torch.tensor(truth).float().reshape(-1, 2), labels=torch.zeros(len(truth), dtype=torch.int64)
    )
    sample.pred_instances = InstanceData(
        segments=torch.tensor(segments).float().reshape(-1, 2),
        scores=torch.tensor(scores).float(),
        labels=torch.tensor(labels, dtype=torch.int64),
    )
    return sample


def run(hook, *batches):
    return let_draw(hook, ('serve', 'return'), *batches)


def test_annotated_and_predicted_actions_are_where_they_are_in_the_video(tmp_path):
    hook = LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path))
    # The weak one would be as long as the video.
    run(hook, [sample_of('a', [[12.5, 16.5], [0, 20]], [1.0, 0.01], [1, 1])])
    serve, returned = (columns_of(tmp_path / 'a.png', class_colour(label)) for label in (0, 1))
    # Annotated at the steps 3 to 5, which is from 6.5 to 10.5 s: as long as the predicted one, and 6 s before it.
    assert np.ptp(serve) == pytest.approx(np.ptp(returned), abs=0.005)
    assert (returned.min() - serve.min()) / np.ptp(serve) == pytest.approx(6 / 4, abs=0.02)
    left = serve.min() - 6.5 / 4 * np.ptp(serve)  # of the axis
    assert 0 < left < 0.1
    pale = [1 - 0.35 * (1 - part) for part in class_colour(1)]  # the edge of a bar of a low score
    weak = len(columns_of(tmp_path / 'a.png', pale))  # a few pixels where letters or edges blend
    hook = LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path), min_score=0.001)
    run(hook, [sample_of('a', [[12.5, 16.5], [0, 20]], [1.0, 0.01], [1, 1])])
    assert len(columns_of(tmp_path / 'a.png', pale)) > 500 > 50 > weak


def test_every_nth_video_is_drawn_across_batches(tmp_path):
    hook = LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path), interval=3)
    run(hook, [sample_of('a'), sample_of('b')], [sample_of('sub/c'), sample_of('sub/d')])
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob('*.png')) == ['a.png', 'sub/d.png']


def test_no_picture_is_written_outside_of_its_folder(tmp_path):
    hook = LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path / 'drawn'))
    with pytest.raises(ValueError, match=r'\.\./stray\.png.* leads out of .*drawn'):
        run(hook, [sample_of('../stray')])
    assert not list(tmp_path.iterdir())


def test_frames_of_the_files_are_shown_and_missing_ones_counted(tmp_path):
    videos = tmp_path / 'videos'
    videos.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (16, 32, 32, 3), np.uint8)
    write_video(videos / 'v_a.mp4', noise)  # as ActivityNet names its files
    (videos / 'b.mp4').write_text('not a video')
    hook = LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path), videos=str(videos))
    (warning,) = run(hook, [sample_of('b'), sample_of('a')], [sample_of('c')])
    assert warning.startswith(f'2 timelines in {tmp_path} have no frames, the first that of b: ')
    assert 'b.mp4' in warning
    assert shades(tmp_path / 'a.png') > 3 * shades(tmp_path / 'b.png')
    assert (tmp_path / 'c.png').exists()
    assert run(LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path)), [sample_of('c')]) == []
    with pytest.raises(FileNotFoundError, match='file or folder gone'):
        run(LocalizationVisualizationHook(enable=True, out_dir=str(tmp_path), videos='gone'))


def test_what_cannot_be_done_is_refused():
    with pytest.raises(ValueError, match='use --show-dir DIR'):
        LocalizationVisualizationHook(enable=True, show=True, out_dir=None)
    with pytest.raises(ValueError, match='set out_dir'):
        LocalizationVisualizationHook(enable=True)
    with pytest.raises(ValueError, match='interval is 0'):
        LocalizationVisualizationHook(interval=0)


def test_command_draws_only_when_it_is_asked_to(tmp_path):
    for video_id in 'abc':
        save(tmp_path / 'embeddings', video_id, 10)
    actions = [dict(label='serve', segment=[1, 2])]
    (tmp_path / 'actions.json').write_text(json.dumps({name: dict(annotations=actions) for name in 'abc'}))
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.replace('<folder>', str(tmp_path)))
    command = [str(config), '--work-dir', str(tmp_path / 'run')]
    launch.main_test(command)
    assert not list(tmp_path.rglob('*.png'))
    launch.main_test([*command, '--show-dir', str(tmp_path / 'drawn'), '--interval', '2'])
    assert sorted(path.name for path in (tmp_path / 'drawn').iterdir()) == ['a.png', 'c.png']
    assert len(columns_of(tmp_path / 'drawn/a.png', class_colour(0))) > 100
