"""Clips in one pass: the same clips as one by one, each frame decoded once, memory bounded."""

import tracemalloc

import numpy as np
import pytest

from twlv_mm.video import (
    clips_of_frames,
    frames_of_windows,
    iter_frames,
    open_video,
    resize_and_crop,
    sample_windows,
)

from .conftest import write_numbered


def iter_clips(reader, indices, size):
    return clips_of_frames(iter_frames(reader, np.unique(indices), size), indices)


class Recorder:
    """A reader that notes what is read."""

    def __init__(self, reader):
        self.reader, self.calls = reader, []

    def frames(self, wanted):
        for index, frame in zip(wanted, self.reader.frames(wanted), strict=True):
            self.calls.append(index)
            yield frame


@pytest.mark.parametrize('options', [dict(sampling='uniform'), dict(sampling='multi-clip', clip_seconds=0.5)])
@pytest.mark.parametrize('stride_seconds', [0.125, 0.7])
def test_clips_are_those_that_are_read_one_by_one(variable_video, options, stride_seconds):
    with open_video(variable_video) as reader:
        windows = sample_windows(reader.frame_times, stride_seconds=stride_seconds, **options)
        indices = frames_of_windows(reader.frame_times, windows, 8)
        clips = list(iter_clips(reader, indices, 32))
        assert len(clips) == len(windows)
        for clip, frames in zip(clips, indices, strict=True):
            np.testing.assert_array_equal(clip, resize_and_crop(reader.read(frames), 32))


def test_each_frame_is_decoded_once(tmp_path):
    path = write_numbered(tmp_path / 'long.mp4', np.arange(250) / 25)
    with open_video(path) as reader:
        windows = sample_windows(reader.frame_times, 'multi-clip', 0.5, 0.125)
        indices = frames_of_windows(reader.frame_times, windows, 16)
        recorder = Recorder(reader)
        for _ in iter_clips(recorder, indices, 32):
            pass
    assert recorder.calls == sorted(set(indices.flatten().tolist()))


def test_memory_does_not_grow_with_the_length_of_the_video(tmp_path):
    peaks = []
    for number in (100, 400):
        path = write_numbered(tmp_path / f'{number}.mp4', np.arange(number) / 25, size=(320, 240))
        with open_video(path) as reader:
            windows = sample_windows(reader.frame_times, 'multi-clip', 0.5, 0.125)
            clips = iter_clips(reader, frames_of_windows(reader.frame_times, windows, 16), 224)
            tracemalloc.start()
            for _ in clips:
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
