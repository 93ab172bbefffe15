"""tools/extract.py: a collection of videos in, embedding files out; killed, resumed, shared between processes."""

import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import twlv_mm
from twlv_mm.embeddings import (
    EmbeddingFolder,
    Extractor,
    MixError,
    Video,
    extract_collection,
    find_videos,
    read_failures,
    verify,
)
from twlv_mm.embeddings.claims import Claims
from twlv_mm.embeddings.parquet_parts import ParquetPart
from twlv_mm.embeddings.store import Store
from twlv_mm.synthetic import render_clip, write_video

from ..commands import run_together, run_tool, start_tool
from ..video.faults import make_faults

SMALL = 'twlv_small_synthetic'


@pytest.fixture(scope='module')
def encoder():
    torch.manual_seed(0)
    return twlv_mm.get_model(SMALL, frozen=True, allow_random=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Videos of 1 to 4 seconds; one of them is broken, and one is no video."""
    folder = tmp_path_factory.mktemp('videos')
    rng = np.random.default_rng(0)
    for index in range(7):
        path = folder / ('sub' if index % 2 else '.') / f'{index}.mp4'
        path.parent.mkdir(exist_ok=True)
        write_video(str(path), render_clip(rng, 'train', num_frames=8 + 4 * index)[0], fps=8)
    (folder / 'broken.mp4').write_text('not a video')
    (folder / 'notes.txt').write_text('no video either')
    return folder


def read_all(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob('*'))
        if path.is_file() and path.name not in ('.lock', '.parts.lock', '.claims')
    }


def vectors_of(folder):
    embeddings = EmbeddingFolder(folder)
    return {video_id: embeddings.clips(video_id) for video_id in embeddings.video_ids}


def dense(encoder, **options):
    return Extractor(encoder, sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5, **options)


def test_folder_becomes_the_published_layout_and_broken_files_are_listed(encoder, folder, tmp_path):
    summary = extract_collection(dense(encoder), find_videos(folder), tmp_path, 'train', workers=1)
    assert (summary.embedded, summary.finished_before) == (7, 0)
    (failure,) = read_failures(tmp_path / 'multi-clip/train')
    assert summary.failures == [failure]
    assert (failure['video_id'], failure['path'], failure['stage']) == ('broken', str(folder / 'broken.mp4'), 'open')
    assert 'broken.mp4 cannot be decoded' in failure['reason']

    stems = [video.video_id for video in find_videos(folder) if video.video_id != 'broken']
    ends = ('.json', '_c.npy', '_v.npy')
    names = {f'multi-clip/train/{stem}{end}' for stem in stems for end in ends}
    assert set(read_all(tmp_path)) == names | {f'multi-clip/train/{n}' for n in ('manifest.json', 'failures.jsonl')}

    clips, video = (np.load(tmp_path / f'multi-clip/train/sub/3_{scope}.npy') for scope in 'cv')
    info = json.loads((tmp_path / 'multi-clip/train/sub/3.json').read_text())
    assert clips.shape == (4, 128)
    np.testing.assert_allclose(video, clips.mean(axis=0), atol=1e-6)
    assert info['duration'] == pytest.approx(2.5)
    assert info['num_frames'] == 20
    assert info['clips'] == [dict(start=0.5 * i, end=0.5 * i + 1) for i in range(4)]
    assert info['model'] == SMALL
    assert info['decoder'].startswith('av')
    assert (info['clip_seconds'], info['stride_seconds'], info['frames_per_clip']) == (1.0, 0.5, 16)
    for video in find_videos(folder / 'sub'):
        *expected, _ = dense(encoder)(video.path)[0]
        found = np.load(tmp_path / f'multi-clip/train/sub/{video.video_id}_c.npy')
        np.testing.assert_allclose(found, [clip.vector for clip in expected], atol=1e-5)


def test_video_whose_vectors_are_not_finite_is_a_failure_and_the_others_are_kept(encoder, folder, tmp_path):
    extractor = dense(encoder)
    encode, batches = extractor.encode, []

    def first_batch_overflows(clips):
        batches.append(clips)
        return encode(clips) * (float('inf') if len(batches) == 1 else 1)

    extractor.encode = first_batch_overflows
    videos = [video for video in find_videos(folder) if video.video_id != 'broken']
    summary = extract_collection(extractor, videos, tmp_path, workers=0)
    assert summary.embedded + len(summary.failures) == len(videos)
    assert {failure['stage'] for failure in summary.failures} == {'encode'}
    assert f'{videos[0].path}: the encoder produced NaN or Inf for' in summary.failures[0]['reason']
    assert all(np.isfinite(np.load(path)).all() for path in tmp_path.rglob('*.npy'))


def test_vector_does_not_depend_on_what_else_is_in_its_batch(encoder, folder, tmp_path):
    videos = [video for video in find_videos(folder) if video.video_id != 'broken']
    extract_collection(dense(encoder), videos, tmp_path / 'all', workers=0)
    for video in videos:
        extract_collection(dense(encoder), [video], tmp_path / 'alone', workers=0)
    together, alone = (read_all(tmp_path / name / 'multi-clip') for name in ('all', 'alone'))
    assert together == alone


@pytest.mark.parametrize('formats', [['npy'], ['parquet'], ['npy', 'parquet']])
def test_second_run_does_only_what_is_missing(encoder, folder, tmp_path, formats):
    videos = find_videos(folder)
    extract_collection(dense(encoder), videos, tmp_path / 'once', formats=formats, workers=0)
    extract_collection(dense(encoder), videos[:3], tmp_path / 'twice', formats=formats, workers=0)
    second = extract_collection(dense(encoder), videos, tmp_path / 'twice', formats=formats, workers=0)
    assert (second.embedded, second.finished_before) == (4, 3)
    assert len(read_failures(tmp_path / 'twice/multi-clip/all')) == 1
    assert vectors_equal(tmp_path / 'once/multi-clip/all', tmp_path / 'twice/multi-clip/all', tolerance=0)
    third = extract_collection(dense(encoder), videos, tmp_path / 'twice', formats=formats, workers=0)
    assert (third.embedded, third.finished_before, len(third.failures)) == (0, 7, 1)


@pytest.mark.parametrize('formats', [['npy'], ['parquet'], ['npy', 'parquet']])
def test_further_videos_join_those_that_are_in_the_folder(encoder, folder, tmp_path, formats, monkeypatch):
    monkeypatch.setattr('twlv_mm.embeddings.parquet_store.PART_VIDEOS', 2)
    videos = [video for video in find_videos(folder) if video.video_id != 'broken']
    # The third run has the others' videos in other parts, as their place in the list is another.
    for some in (videos[2:3], videos[1:5], videos):
        extract_collection(dense(encoder), some, tmp_path / 'all', formats=formats, workers=0)
        assert set(vectors_of(tmp_path / 'all/multi-clip/all')) >= {video.video_id for video in some}
    extract_collection(dense(encoder), videos, tmp_path / 'once', formats=['npy'], workers=0)
    assert vectors_equal(tmp_path / 'once/multi-clip/all', tmp_path / 'all/multi-clip/all', tolerance=0)
    if 'parquet' in formats:
        parts = (tmp_path / 'all').rglob('part-*.parquet')
        assert sorted(video_id for part in parts for video_id in ParquetPart(part).rows) == [v.video_id for v in videos]


def test_run_leaves_alone_what_another_was_stopped_at(tmp_path):
    made = np.zeros((1, 4), np.float32), np.array([[0.0, 1.0]]), dict(duration=1.0)
    Store(tmp_path, ['parquet'], ['a/one', 'a/two']).write('a/one', *made)
    Store(tmp_path, ['parquet'], ['b/other']).write('b/other', *made)
    resumed = Store(tmp_path, ['parquet'], ['a/one', 'a/two'])
    assert resumed.finished == {'a/one'}
    resumed.write('a/two', *made)
    resumed.finish(['a/two'])
    assert EmbeddingFolder(tmp_path).video_ids == ['a/one', 'a/two', 'b/other']
    assert set(read_all(tmp_path)) == {'part-00000-of-00001-00000.parquet'}
    assert not (tmp_path / '.unfinished').exists()


def vectors_equal(one, other, tolerance=1e-6):
    one, other = vectors_of(one), vectors_of(other)
    assert list(one) == list(other)
    return all(np.abs(one[video_id] - other[video_id]).max() <= tolerance for video_id in one)


def test_repaired_video_is_embedded_by_the_next_run(encoder, folder, tmp_path):
    broken = tmp_path / 'video.mp4'
    broken.write_bytes(b'')
    for formats in (['npy'], ['parquet']):
        out = tmp_path / formats[0]
        assert extract_collection(dense(encoder), find_videos(broken), out, formats=formats, workers=0).failures
    broken.write_bytes((folder / '0.mp4').read_bytes())
    for formats in (['npy'], ['parquet']):
        out = tmp_path / formats[0]
        assert extract_collection(dense(encoder), find_videos(broken), out, formats=formats, workers=0).embedded == 1
        assert read_failures(out / 'multi-clip/all') == []
        assert EmbeddingFolder(out / 'multi-clip/all').video_ids == ['video']


def test_folder_of_other_settings_is_refused_unless_mix_is_set(encoder, folder, tmp_path):
    videos = find_videos(folder)
    extract_collection(dense(encoder), videos[:1], tmp_path, workers=0)
    with pytest.raises(MixError, match="precision is 'fp32' there, 'bf16' here.*--mix"):
        extract_collection(dense(encoder, precision='bf16'), videos, tmp_path, workers=0)
    other = twlv_mm.get_model(SMALL, frozen=True, allow_random=True, num_frames=8)
    with pytest.raises(MixError, match='frames_per_clip is 16 there, 8 here'):
        extract_collection(dense(other), videos[:2], tmp_path, workers=0)
    assert extract_collection(dense(other), videos[:2], tmp_path, mix=True, workers=0).finished_before == 1
    assert len(json.loads((tmp_path / 'multi-clip/all/manifest.json').read_text())['settings']) == 2


@pytest.mark.parametrize(('options', 'said'), [
    (dict(formats=['npz']), "formats: unknown 'npz'; choose from npy, parquet"),
    (dict(views=['backwards']), "views: unknown 'backwards'; choose from forward, reversed"),
    (dict(on_fault='stop'), "on_fault: unknown 'stop'"),
    (dict(shard=(4, 4)), 'shard 4 of 4 does not exist'),
    (dict(workers=-1), 'workers=-1: must be 0 or more'),
    (dict(decoder='opencv'), "unknown decoder 'opencv'"),
])  # fmt: skip
def test_unknown_options_are_refused_before_anything_is_written(encoder, folder, tmp_path, options, said):
    with pytest.raises(ValueError, match=said):
        extract_collection(dense(encoder), find_videos(folder), tmp_path / 'out', **dict(workers=0) | options)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('video_id', ['manifest', '.hidden', 'sub/.hidden', '../outside', '/outside', '', 'a.part/b'])
def test_id_that_would_not_be_read_again_is_refused_before_anything_is_written(encoder, folder, tmp_path, video_id):
    with pytest.raises(ValueError, match=r'0\.mp4 would be embedded as .*Rename the video'):
        extract_collection(dense(encoder), [Video(video_id, str(folder / '0.mp4'))], tmp_path / 'out', workers=0)
    assert not (tmp_path / 'out').exists()


def test_decoder_that_is_not_installed_is_reported_once_and_before_anything_is_written(
    encoder, folder, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(ValueError, match="'decord' cannot be used .* pip install decord"):
        extract_collection(dense(encoder), find_videos(folder), tmp_path / 'out', workers=1, decoder='decord')
    assert not (tmp_path / 'out').exists()


def test_missing_pyarrow_is_reported_before_anything_is_embedded(encoder, folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(ImportError, match='pip install pyarrow'):
        extract_collection(dense(encoder), find_videos(folder), tmp_path, formats=['parquet'], workers=0)
    assert not list(tmp_path.rglob('*.npy'))


def test_reversed_view_is_the_video_backwards(encoder, tmp_path):
    frames = render_clip(np.random.default_rng(3), 'train', num_frames=16)[0]
    write_video(str(tmp_path / 'video.mp4'), frames, fps=8)
    write_video(str(tmp_path / 'backwards.mp4'), frames[::-1], fps=8)
    extract_collection(
        Extractor(encoder, sampling='uniform'),
        find_videos(tmp_path),
        tmp_path,
        views=('forward', 'reversed'),
        workers=0,
    )
    forward, backward = (vectors_of(tmp_path / name / 'all') for name in ('uniform', 'uniform-reversed'))
    np.testing.assert_allclose(backward['video'], forward['backwards'], atol=1e-5)
    np.testing.assert_allclose(backward['backwards'], forward['video'], atol=1e-5)
    assert np.abs(forward['video'] - forward['backwards']).max() > 1e-3


def test_clips_before_a_fault_are_kept_if_wanted_and_the_video_is_listed(encoder, tmp_path):
    videos = find_videos(make_faults(tmp_path)['garbage_in_frames_intra'])
    options = dict(workers=0, decoder='av')  # it notices damage inside frames, here in all but the first
    extractor = Extractor(encoder, sampling='multi-clip', clip_seconds=0.1)
    assert not extract_collection(extractor, videos, tmp_path / 'skip', **options).embedded
    options['on_fault'] = 'keep'
    (failure,) = extract_collection(extractor, videos, tmp_path / 'keep', **options).failures
    (clips,) = vectors_of(tmp_path / 'keep/multi-clip/all').values()
    assert failure['stage'] == 'decode'
    assert failure['clips'] == len(clips) > 0
    again = extract_collection(extractor, videos, tmp_path / 'keep', **options)
    assert (again.finished_before, again.failures) == (1, [])
    assert read_failures(tmp_path / 'keep/multi-clip/all') == [failure]


@pytest.mark.parametrize('size', [2, 4])
def test_processes_share_the_videos(encoder, folder, tmp_path, size):
    videos = find_videos(folder)
    extract_collection(dense(encoder), videos, tmp_path / 'one', formats=['parquet'], workers=0)
    shares = [
        extract_collection(dense(encoder), videos, tmp_path / 'all', formats=['parquet'], workers=0, shard=(rank, size))
        for rank in range(size)
    ]
    assert sum(share.embedded for share in shares) == 7
    assert sum(len(share.failures) for share in shares) == 1
    assert vectors_equal(tmp_path / 'one/multi-clip/all', tmp_path / 'all/multi-clip/all')
    assert [failure['video_id'] for failure in read_failures(tmp_path / 'all/multi-clip/all')] == ['broken']


@pytest.mark.parametrize('formats', [['npy'], ['parquet']])
@pytest.mark.parametrize(('before', 'now'), [(1, 2), (2, 1)])
def test_other_number_of_processes_goes_on(encoder, folder, tmp_path, before, now, formats):
    videos = [video for video in find_videos(folder) if video.video_id != 'broken']
    first = extract_collection(dense(encoder), videos[:4], tmp_path, formats=formats, shard=(0, before), workers=0)
    summaries = [
        extract_collection(dense(encoder), videos, tmp_path, formats=formats, shard=(rank, now), workers=0)
        for rank in range(now)
    ]
    assert sum(summary.finished_before for summary in summaries) == first.embedded > 0
    assert sum(summary.embedded for summary in summaries) == len(videos) - first.embedded
    assert verify(tmp_path / 'multi-clip/all') == []
    assert EmbeddingFolder(tmp_path / 'multi-clip/all').video_ids == [video.video_id for video in videos]


@pytest.mark.parametrize('workers', [0, 1])
def test_segments_of_a_list_are_embedded_as_files_of_their_own(encoder, folder, tmp_path, workers):
    # 4 s at 8 frames a second; a segment from 1.5 s on begins with frame 12.
    (tmp_path / 'list.txt').write_text('6.mp4 1.500 4.000 3\n6.mp4 0.000 2.000 1\n4.mp4 8.0 9.0 0\n')
    videos = find_videos(tmp_path / 'list.txt', root=folder)
    summary = extract_collection(dense(encoder), videos, tmp_path, workers=workers, formats=['npy', 'parquet'])
    assert [summary.embedded, len(summary.failures)] == [2, 1]
    assert summary.failures[0]['video_id'] == '4_8.000_9.000'
    assert 'ends before 8.000 s' in summary.failures[0]['reason']

    embeddings = EmbeddingFolder(tmp_path / 'multi-clip/all')
    assert embeddings.video_ids == ['6_0.000_2.000', '6_1.500_4.000']
    assert embeddings.info('6_1.500_4.000')['annotation'] == 3
    assert embeddings.info('6_1.500_4.000')['segment'] == dict(file='6.mp4', start=1.5, end=4.0)
    assert embeddings.times('6_1.500_4.000').tolist() == [[0, 1], [0.5, 1.5], [1, 2], [1.5, 2.5]]
    whole, _ = dense(encoder)(folder / '6.mp4', 'av')  # a clip every half second
    for video_id, first in (('6_0.000_2.000', 0), ('6_1.500_4.000', 3)):
        clips = embeddings.clips(video_id)
        expected = np.stack([whole[first + number].vector for number in range(len(clips))])
        np.testing.assert_allclose(clips, expected, atol=1e-5)
    assert verify(tmp_path / 'multi-clip/all') == []


def test_segments_are_not_for_every_decoder(encoder, folder, tmp_path):
    (tmp_path / 'list.txt').write_text('6.mp4 1.500 4.000 3\n')
    with pytest.raises(ValueError, match="'decord' does not read segments of videos: choose av"):
        extract_collection(dense(encoder), find_videos(tmp_path / 'list.txt', root=folder), tmp_path, decoder='decord')


@pytest.mark.filterwarnings('ignore:random encoder')
def test_every_kind_of_bad_file_is_listed_and_the_good_ones_are_embedded(folder, tmp_path, capsys):
    videos = tmp_path / 'videos'
    (videos / 'good').mkdir(parents=True)
    for path in folder.rglob('*.mp4'):
        (videos / 'good' / path.name).write_bytes(path.read_bytes())
    (videos / 'good/broken.mp4').unlink()
    (videos / 'bad').mkdir()
    faults = make_faults(videos / 'bad')
    assert run_tool('extract.py', SMALL, videos, '--out', tmp_path / 'out', '--workers', 1) == 1
    out = capsys.readouterr().out
    failures = read_failures(tmp_path / 'out/multi-clip/all')
    found = EmbeddingFolder(tmp_path / 'out/multi-clip/all').video_ids
    assert [video_id for video_id in found if video_id.startswith('good')] == [f'good/{index}' for index in range(7)]
    listed = {failure['path'] for failure in failures}
    looked_for = {video.path for video in find_videos(videos / 'bad')}
    assert listed | {str(videos / f'{video_id}.mp4') for video_id in found if video_id.startswith('bad')} >= looked_for
    assert len(listed) >= 10
    assert f'{len(failures)} failed' in out
    assert all(failure['reason'] and failure['stage'] in ('open', 'decode') for failure in failures)
    assert len(faults) >= 12


@pytest.mark.filterwarnings('ignore:random encoder')
def test_killed_run_ends_where_an_uninterrupted_one_does(folder, tmp_path, capsys):
    arguments = [SMALL, folder, '--clip-seconds', 1, '--stride-seconds', 0.05, '--formats', 'npy,parquet', '--out']
    assert run_tool('extract.py', *arguments, tmp_path / 'whole') == 1  # one video is broken
    process = start_tool('extract.py', *arguments, tmp_path / 'killed')
    while process.runs() and len(list((tmp_path / 'killed').rglob('*.json'))) < 3:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.finish().returncode == -signal.SIGKILL
    assert run_tool('extract.py', *arguments, tmp_path / 'killed') == 1
    assert 'were already there' in capsys.readouterr().out
    assert read_all(tmp_path / 'killed') == read_all(tmp_path / 'whole')


@pytest.mark.parametrize('formats', ['npy', 'parquet'])
def test_two_runs_at_once_share_the_videos(folder, tmp_path, formats):
    arguments = [SMALL, folder, '--clip-seconds', 1, '--stride-seconds', 0.1, '--workers', 0]
    arguments += ['--formats', formats, '--out', tmp_path / 'two']
    ended = [process.finish() for process in [start_tool('extract.py', *arguments) for _ in range(2)]]
    assert [one.returncode for one in ended] == [1, 1], ended  # one video is broken
    counts = [re.search(r'(\d+) videos embedded .* (\d+) were already there, 1 failed', one.stdout) for one in ended]
    embedded, by_others = zip(*(map(int, found.groups()) for found in counts), strict=True)
    assert sum(embedded) == 7
    assert sum(by_others) == 7
    assert verify(tmp_path / 'two/multi-clip/all') == []
    assert len(read_failures(tmp_path / 'two/multi-clip/all')) == 1
    assert len(vectors_of(tmp_path / 'two/multi-clip/all')) == 7
    assert not (tmp_path / 'two/multi-clip/all/.unfinished').exists()


def test_video_of_a_killed_process_is_taken_by_another(encoder, folder, tmp_path):
    (tmp_path / 'multi-clip/all').mkdir(parents=True)
    holding, ready = os.pipe()
    child = os.fork()
    if not child:
        Claims(tmp_path / 'multi-clip/all').take('0')
        os.write(ready, b'.')
        time.sleep(60)
        os._exit(0)
    os.read(holding, 1)
    threading.Timer(1.0, os.kill, (child, signal.SIGKILL)).start()
    summary = extract_collection(dense(encoder), find_videos(folder / '0.mp4'), tmp_path, workers=0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL  # it was waited for
    assert summary.embedded == 1


@pytest.mark.parametrize('ending', ['_c.npy', '_v.npy', '.json'])
@pytest.mark.parametrize('keep', [0, 100, None])
def test_missing_or_cut_file_is_made_again(encoder, folder, tmp_path, ending, keep):
    video = find_videos(folder / '0.mp4')
    extract_collection(dense(encoder), video, tmp_path, workers=0)
    whole = read_all(tmp_path)
    path = tmp_path / f'multi-clip/all/0{ending}'
    if keep is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:keep])
    assert extract_collection(dense(encoder), video, tmp_path, workers=0).embedded == 1
    assert read_all(tmp_path) == whole


def test_unreadable_part_is_set_aside_and_its_videos_are_embedded_again(encoder, folder, tmp_path):
    extract_collection(dense(encoder), find_videos(folder / '0.mp4'), tmp_path, formats=['parquet'], workers=0)
    (part,) = (tmp_path / 'multi-clip/all').glob('part-*.parquet')
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.warns(UserWarning, match='renamed to part-.*damaged'):
        summary = extract_collection(
            dense(encoder), find_videos(folder / 'sub'), tmp_path, formats=['parquet'], workers=0
        )
    assert summary.embedded == 3
    extract_collection(dense(encoder), find_videos(folder / '0.mp4'), tmp_path, formats=['parquet'], workers=0)
    assert verify(tmp_path / 'multi-clip/all') == []


@pytest.mark.parametrize('damage', [Path.unlink, lambda path: path.write_text('{')])
def test_lost_manifest_is_made_again_and_other_settings_are_still_refused(encoder, folder, tmp_path, damage):
    extract_collection(dense(encoder), find_videos(folder / 'sub'), tmp_path, workers=0)
    damage(tmp_path / 'multi-clip/all/manifest.json')
    other = Extractor(encoder, sampling='multi-clip', clip_seconds=0.5)
    with pytest.warns(UserWarning, match='rebuilt from the 3 videos'), pytest.raises(MixError, match='clip_seconds'):
        extract_collection(other, find_videos(folder / '0.mp4'), tmp_path, workers=0)
    with pytest.warns(UserWarning, match='rebuilt from the 3 videos'):
        extract_collection(dense(encoder), find_videos(folder / '0.mp4'), tmp_path, workers=0)
    assert verify(tmp_path / 'multi-clip/all') == []


@pytest.mark.parametrize('moved', [True, False])
def test_folder_that_goes_away_during_a_run_is_an_error(encoder, folder, tmp_path, moved, monkeypatch):
    write, out = Store.write, tmp_path / 'multi-clip/all'

    def write_then_lose(store, video_id, *arrays):
        write(store, video_id, *arrays)
        if video_id == 'sub/3' and moved:
            out.rename(tmp_path / 'elsewhere')
        elif video_id == 'sub/3':
            (out / 'sub/1_c.npy').unlink()

    monkeypatch.setattr(Store, 'write', write_then_lose)
    said = 'was moved or deleted' if moved else r'1 embedded videos are no longer there \(sub/1\)'
    with pytest.raises(FileNotFoundError, match=said):
        extract_collection(dense(encoder), find_videos(folder), tmp_path, workers=0)


def test_two_processes_give_the_vectors_of_one(encoder, folder, tmp_path):
    torch.save(encoder.state_dict(), tmp_path / 'encoder.pth')
    options = ['--weights', tmp_path / 'encoder.pth', '--clip-seconds', 1, '--workers', 0, '--formats', 'parquet']
    arguments = [SMALL, folder, '--launcher', 'pytorch', '--out', tmp_path / 'two', *options]
    ended = run_together(2, run_tool, 'extract.py', *arguments)
    assert [one.returncode for one in ended] == [1, 1], ended  # one video is broken
    assert '7 videos embedded' in ended[0].stdout + ended[1].stdout
    assert len(list((tmp_path / 'two').rglob('part-*.parquet'))) == 2
    extract_collection(
        Extractor(SMALL, tmp_path / 'encoder.pth', sampling='multi-clip', clip_seconds=1.0),
        find_videos(folder),
        tmp_path / 'one',
        workers=0,
    )
    assert vectors_equal(tmp_path / 'one/multi-clip/all', tmp_path / 'two/multi-clip/all')


def test_command_line_refuses_invalid_arguments_and_verifies(folder, tmp_path, capsys, monkeypatch):
    def run(*arguments):
        return run_tool('extract.py', *arguments), *capsys.readouterr()

    monkeypatch.delenv('RANK', raising=False)
    for arguments, said in (
        (['twlv_bas', folder], 'twlv_base'),
        ([SMALL, folder, '--shard', '3'], "argument --shard: invalid shard value: '3'"),
        ([SMALL, folder, '--launcher', 'pytorch'], 'RANK is not set: use tools/dist_extract.sh'),
    ):
        code, _, err = run('--out', tmp_path / 'out', *arguments)
        assert (code, said in err) == (2, True), err
    with pytest.warns(UserWarning, match='random encoder'):
        code, out, _ = run(SMALL, folder / '0.mp4', '--out', tmp_path / 'out', '--workers', 0)
    assert code == 0
    assert '1 videos embedded' in out
    made = tmp_path / 'out/multi-clip/all'
    code, out, _ = run('--verify', made)
    assert (code, out.strip().endswith('0 problems')) == (0, True)
    clips = np.load(tmp_path / 'out/multi-clip/all/0_c.npy')
    np.save(tmp_path / 'out/multi-clip/all/0_c.npy', clips * np.nan)
    code, out, _ = run('--verify', tmp_path / 'out/multi-clip/all')
    assert code == 1
    assert '0: clips 0 contain NaN' in out
    with pytest.warns(UserWarning, match='random encoder'):
        code, out, _ = run(
            SMALL, folder / '0.mp4', '--out', tmp_path / 'out', '--workers', 0, '--verify', made, '--repair'
        )
    assert (code, '1 videos embedded' in out) == (0, True)
    assert run('--verify', made)[0] == 0


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder of real videos')
def test_real_videos_have_clips_at_their_real_times(encoder):
    videos = find_videos(Path(os.environ['TWLV_SHARED']) / 'videos')
    found = {video.video_id: twlv_mm.embed(video.path, encoder, sampling='multi-clip') for video in videos}
    assert {name: len(embeddings) - 1 for name, embeddings in found.items()} == dict(arm_wrestling=5, people=4, test=5)
    assert found['people'][-1].end == pytest.approx(9.5)
    assert [clip.end for clip in found['people'][:-1]] == [2, 4, 6, 8]


@pytest.mark.parametrize('workers', [0, 2])
def test_names_and_content_that_cannot_be_embedded_are_listed_and_the_rest_goes_on(encoder, folder, tmp_path, workers):
    videos, good = tmp_path / 'videos', (folder / '0.mp4').read_bytes()
    videos.mkdir()
    names = ['12:30', 'http:%2f%2fa', 'pipe:', 'n' * 249]
    for name in names:
        (videos / f'{name}.mp4').write_bytes(good)
    (videos / 'broken.mkv').write_text('no video')
    (videos / ('l' * 250 + '.mp4')).write_bytes(good)
    with open(os.fsencode(videos) + b'/caf\xe9.mp4', 'wb') as file:
        file.write(good)
    summary = extract_collection(dense(encoder), find_videos(videos), tmp_path / 'out', workers=workers)
    assert summary.embedded == len(names)
    reasons = {Path(failure['path']).name[:5]: failure['reason'] for failure in summary.failures}
    assert set(reasons) == {'broke', 'lllll', 'caf\\x'}
    assert 'is not UTF-8' in reasons['caf\\x']
    assert '250 bytes of at most 249' in reasons['lllll']
    assert len(read_failures(tmp_path / 'out/multi-clip/all')) == 3
    assert EmbeddingFolder(tmp_path / 'out/multi-clip/all').video_ids == sorted(names)
