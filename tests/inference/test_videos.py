"""What the inferencers of all tasks share: many videos, the weights of a run, damaged files."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from twlv_mm.encoders import get_model
from twlv_mm.engine import CheckpointError
from twlv_mm.inference import infer_videos, load_model, read_strip, reading
from twlv_mm.synthetic import write_video
from twlv_mm.video import ReadFault, VideoError

from ..written import read_csv

TINY = dict(arch='twlv_small_synthetic', depth=1, embed_dims=32)
COLOURS = np.linspace(0, 240, 16).astype(np.uint8)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Three videos of two seconds, getting brighter; one of two frames; a file that is not a video."""
    folder = tmp_path_factory.mktemp('videos')
    frames = np.broadcast_to(COLOURS[:, None, None, None], (16, 32, 32, 3))
    for name in ('a', 'b.1', 'c'):
        write_video(folder / f'{name}.mp4', frames)
    write_video(folder / 'short.mp4', frames[:2])
    (folder / 'broken.mp4').write_text('not a video')
    return folder


class Lengths:
    """The smallest inferencer: a row for each second."""

    columns = ('second', 'unit')

    def __init__(self, breaks=None):
        self.breaks = breaks

    def __call__(self, path, unit='s'):
        with reading(path, 'decode'):
            if self.breaks and self.breaks in path:
                raise RuntimeError('frame 7 is damaged')
        return dict(seconds=len(read_strip(path, 16)[0]) // 8, unit=unit)

    def draw(self, path, result, out_png):
        out_png.write_text('picture')

    def rows(self, result):
        return [(second, result['unit']) for second in range(result['seconds'])]


def test_each_video_has_its_files_and_as_many_lines_as_rows(folder, tmp_path):
    summary = infer_videos(Lengths(), folder, tmp_path, unit='sec')
    assert summary.done == 4
    header, *rows = read_csv(tmp_path / 'summary.csv')
    assert header == ['video_id', 'second', 'unit']
    assert rows == [[name, second, 'sec'] for name in ('a', 'b.1', 'c') for second in '01']  # of short, none
    assert json.loads((tmp_path / 'short.json').read_text()) == dict(seconds=0, unit='sec')
    assert sorted(path.name for path in tmp_path.glob('*.png')) == ['a.png', 'b.1.png', 'c.png', 'short.png']


def test_overlay_is_asked_for_and_no_video_is_overwritten(folder, tmp_path):
    with pytest.raises(ValueError, match='Lengths cannot draw onto videos: leave out overlay'):
        infer_videos(Lengths(), folder / 'a.mp4', tmp_path, overlay=True)

    class Overlays(Lengths):
        def draw_video(self, path, result, out):
            out.write_text('video')

    infer_videos(Overlays(), folder / 'a.mp4', tmp_path / 'out', overlay=True)
    assert (tmp_path / 'out/a.mp4').read_text() == 'video'
    before = (folder / 'a.mp4').read_bytes()
    with pytest.raises(ValueError, match=r'a\.mp4 would be overwritten by a drawing: give another folder'):
        infer_videos(Overlays(), folder / 'a.mp4', folder, overlay=True)
    assert (folder / 'a.mp4').read_bytes() == before


def test_failures_say_at_which_stage_and_leave_nothing_of_an_earlier_run(folder, tmp_path):
    (tmp_path / 'videos').symlink_to(folder)
    listed = tmp_path / 'list.txt'
    listed.write_text(''.join(f'videos/{name}.mp4\n' for name in ('a', 'b.1', 'broken', 'gone')))
    infer_videos(Lengths(), listed, tmp_path / 'out')
    summary = infer_videos(Lengths(breaks='b.1'), listed, tmp_path / 'out')
    assert (summary.done, len(summary.failures)) == (1, 3)
    lines = [json.loads(line) for line in (tmp_path / 'out/failures.jsonl').read_text().splitlines()]
    assert lines == summary.failures
    assert [(line['video_id'], line['stage']) for line in lines] == [
        ('videos/b.1', 'decode'),
        ('videos/broken', 'open'),
        ('videos/gone', 'open'),
    ]
    assert lines[0]['path'] == str(tmp_path / 'videos/b.1.mp4')
    assert 'frame 7 is damaged' in lines[0]['reason']
    assert sorted(path.name for path in (tmp_path / 'out/videos').iterdir()) == ['a.json', 'a.png']


def test_a_name_that_cannot_be_written_does_not_stop_the_others(folder, tmp_path):
    videos = tmp_path / 'videos'
    videos.mkdir()
    for name in ('x' * 251, 'bad\udcff', 'good'):
        (videos / f'{name}.mp4').write_bytes((folder / 'a.mp4').read_bytes())
    done, failures = infer_videos(Lengths(), videos, tmp_path / 'out')
    assert done == 1
    assert [failure['stage'] for failure in failures] == ['name', 'name']
    assert 'its name is not UTF-8' in failures[0]['reason']
    assert 'too long for <id>.json: 251 bytes of at most 250' in failures[1]['reason']
    assert len((tmp_path / 'out/failures.jsonl').read_text().splitlines()) == 2


def test_strip_shows_the_middles_of_equal_parts(folder):
    frames, times = read_strip(folder / 'a.mp4', 4)
    np.testing.assert_allclose(times, [0.25, 0.75, 1.25, 1.75])
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), COLOURS[[2, 6, 10, 14]], atol=3)
    frames, times = read_strip(folder / 'short.mp4', 8)
    assert (len(frames), times.tolist()) == (2, pytest.approx([1 / 16, 3 / 16]))
    with pytest.raises(ReadFault, match=r'broken\.mp4 cannot be decoded') as caught:
        read_strip(folder / 'broken.mp4', 8)
    assert caught.value.stage == 'open'
    with pytest.raises(FileNotFoundError, match=r'no video file at .*gone\.mp4'):
        read_strip(folder / 'gone.mp4', 8)


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (VideoError('a.mp4: frames 3 to 5'), '^a.mp4: frames 3 to 5$'),
        (OSError('end of file'), '^a.mp4 cannot be decoded: end of file$'),
        (FileNotFoundError('a.mp4'), 'cannot be decoded'),
    ],
)
def test_what_a_decoder_raises_is_a_fault_of_its_stage(error, message):
    with pytest.raises(ReadFault, match=message) as caught, reading('a.mp4', 'decode'):
        raise error
    assert caught.value.stage == 'decode'
    with pytest.raises(ReadFault) as caught, reading('a.mp4', 'decode'):
        raise ReadFault('hung', 'timeout')
    assert caught.value.stage == 'timeout'
    with pytest.raises(KeyError), reading('a.mp4', 'decode'):
        raise KeyError('a mistake of ours is no damage of the video')


def test_model_of_a_run_needs_no_other_file_than_its_checkpoint(tmp_path):
    cfg = Config(dict(model=dict(type='twlv_mm.VideoViT', weights='gone.pth', **TINY)))
    saved = get_model(TINY['arch'], depth=1, embed_dims=32).state_dict()
    torch.save(dict(state_dict=saved, meta=dict(epoch=3)), tmp_path / 'epoch_3.pth')
    model, meta = load_model(cfg, tmp_path / 'epoch_3.pth', 'cpu')
    assert meta == dict(epoch=3)
    assert not model.training
    assert all(torch.equal(model.state_dict()[name], value) for name, value in saved.items())
    assert cfg.model.weights == 'gone.pth'
    torch.save(saved, tmp_path / 'bare.pth')
    assert load_model(cfg, tmp_path / 'bare.pth', 'cpu')[1] == {}


def test_checkpoint_of_another_model_is_refused(tmp_path):
    cfg = Config(dict(model=dict(type='twlv_mm.VideoViT', **TINY | dict(depth=2))))
    torch.save(get_model(TINY['arch'], depth=1, embed_dims=32).state_dict(), tmp_path / 'epoch_3.pth')
    with pytest.raises(CheckpointError, match=r'epoch_3\.pth does not hold the weights of'):
        load_model(cfg, tmp_path / 'epoch_3.pth', 'cpu')
    with pytest.raises(FileNotFoundError, match='checkpoint gone.* does not exist'):
        load_model(cfg, 'gone.pth', 'cpu')
