"""Videos read in worker processes: the same clips in the same order, and faults that stay where they are."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

from twlv_mm.video import ClipSampling, ReaderProcess, ReadFault, clips_of_frames, read_ahead

from ..commands import start_tool
from .conftest import write_numbered

SAMPLING = ClipSampling('multi-clip', clip_seconds=1.0, stride_seconds=0.25, num_frames=8, size=32)


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    return [write_numbered(folder / f'{i}.mp4', np.arange(40 + 10 * i) / 20) for i in range(4)]


def clips_of(stream):
    return list(clips_of_frames(stream.chunks, stream.indices))


def test_workers_give_the_clips_that_this_process_gives(videos):
    here = [(stream[:3], clips_of(stream)) for stream in read_ahead(videos, SAMPLING, workers=0)]
    there = [(stream[:3], clips_of(stream)) for stream in read_ahead(videos, SAMPLING, workers=2)]
    assert [len(clips) for _, clips in here] == [5, 7, 9, 11]
    for (header, clips), (other_header, other_clips) in zip(here, there, strict=True):
        assert header == other_header
        np.testing.assert_array_equal(clips, other_clips)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize('workers', [0, 1])
def test_missing_and_unreadable_files_fail_and_the_rest_goes_on(videos, tmp_path, workers):
    (tmp_path / 'text.mp4').write_text('not a video')
    paths = [str(tmp_path / 'none.mp4'), videos[0], str(tmp_path / 'text.mp4'), videos[1]]
    missing, first, text, second = (
        stream if isinstance(stream, ReadFault) else len(clips_of(stream))
        for stream in read_ahead(paths, SAMPLING, workers=workers)
    )
    assert (first, second) == (5, 7)
    assert (missing.stage, text.stage) == ('open', 'open')
    assert 'no video file at' in str(missing)
    assert 'text.mp4' in str(text)


@pytest.mark.parametrize(('number', 'stage', 'reason'), [
    (signal.SIGKILL, 'crash', 'killed by signal 9'),
    (signal.SIGSTOP, 'timeout', 'nothing came for 2 s'),
])  # fmt: skip
def test_dead_and_hanging_decoders_fail_only_one_video(videos, tmp_path, number, stage, reason):
    # Longer than what is read ahead, so that the process is at work on it when the signal comes.
    long = write_numbered(tmp_path / 'long.mp4', np.arange(600) / 20)
    found = []
    for stream in read_ahead([videos[0], long, videos[1]], SAMPLING, workers=1, timeout=2.0):
        clips = clips_of_frames(stream.chunks, stream.indices)
        if stream.num_frames == 600:
            next(clips)
            (worker,) = multiprocessing.active_children()
            os.kill(worker.pid, number)
            with pytest.raises(ReadFault, match=reason) as fault:
                list(clips)
            assert fault.value.stage == stage
            assert 'long.mp4' in str(fault.value)
        found.append(len(list(clips)))
    assert found == [5, 0, 7]


def test_one_process_reads_one_video_after_the_other(videos, tmp_path):
    process = ReaderProcess(SAMPLING, 'av', timeout=60.0)
    assert [len(clips_of(process.stream(path))) for path in videos] == [5, 7, 9, 11]
    assert process.stream(str(tmp_path / 'none.mp4')).stage == 'open'
    assert process.stream(videos[0]).decoder.startswith('av')
    assert len(clips_of(process.stream(videos[1]))) == 7
    process.close()


def test_reading_ahead_can_be_left_off_also_while_a_decoder_hangs(videos, tmp_path):
    long = write_numbered(tmp_path / 'long.mp4', np.arange(600) / 20)
    streams = read_ahead([long, *videos], SAMPLING, workers=1, timeout=3600.0)
    next(next(streams).chunks)
    (worker,) = multiprocessing.active_children()
    os.kill(worker.pid, signal.SIGSTOP)
    streams.close()
    assert not multiprocessing.active_children()


def test_error_of_workers_started_during_import_says_what_to_change(videos, tmp_path):
    script = tmp_path / 'no_guard.py'
    script.write_text(
        'from twlv_mm.video import ClipSampling, read_ahead\n'
        f"sampling = ClipSampling('multi-clip', clip_seconds=1.0, stride_seconds=0.25, num_frames=8, size=32)\n"
        f'next(read_ahead([{videos[0]!r}], sampling, workers=1))\n'
    )
    done = start_tool(script).finish()
    assert done.returncode == 1
    assert 'RuntimeError: a process to read videos cannot be started' in done.stderr
    assert "__name__ == '__main__'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize('workers', [0, 2])
def test_error_while_listing_videos_is_raised(videos, workers):
    def paths():
        yield videos[0]
        raise OSError('the folder is gone')

    streams = map(clips_of, read_ahead(paths(), SAMPLING, workers=workers))
    with pytest.raises(OSError, match='the folder is gone'):
        list(streams)
