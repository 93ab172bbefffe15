"""What verify() finds in a folder of embeddings."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from twlv_mm.embeddings.store import write_embeddings
from twlv_mm.embeddings.verify import Problem, verify

verify_module = sys.modules['twlv_mm.embeddings.verify']  # the package has a function of that name

INFO = dict(duration=6.5, num_frames=65, clip_seconds=2.0, stride_seconds=2.0, sampling='multi-clip', model='twlv_base')
TIMES = np.array([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]])


def clips_of(seed):
    return np.random.default_rng(seed).standard_normal((3, 8), dtype=np.float32)


def no_change(info):
    pass


def rewrite(folder, video_id='b', info=no_change, **arrays):
    """Change one video: its arrays, and its json in place by a function."""
    for kind, array in arrays.items():
        np.save(folder / f'{video_id}_{kind}.npy', array)
    path = folder / f'{video_id}.json'
    content = json.loads(path.read_text())
    for name in ('clips_sha256', 'video_sha256'):
        del content[name]
    info(content)
    path.write_text(json.dumps(content))


def test_the_folder_above_is_refused_and_repairs_nothing(tmp_path):
    below = tmp_path / 'multi-clip' / 'all'
    below.mkdir(parents=True)
    write_embeddings(below, 'a', clips_of(0), TIMES, INFO)
    manifest = below / 'manifest.json'
    manifest.write_text(json.dumps(dict(videos=['a'])))
    with pytest.raises(
        ValueError, match=r'several folders of embeddings, such as that of multi-clip/all/manifest\.json'
    ):
        verify(tmp_path, repair=True)
    assert manifest.exists()


@pytest.fixture
def folder(tmp_path):
    for seed, video_id in enumerate('abc'):
        write_embeddings(tmp_path, video_id, clips_of(seed), TIMES, INFO)
    return tmp_path


def problems(folder):
    return [what for video_id, what in verify(folder) if video_id == 'b']


def test_what_the_writer_writes_is_sound(folder):
    assert verify(folder) == []


def test_not_a_number_and_infinity_are_found(folder):
    clips = clips_of(1)
    clips[2, 3] = np.nan
    video = clips_of(1).mean(axis=0)
    video[0] = np.inf
    rewrite(folder, c=clips, v=video)
    assert problems(folder) == [
        'clips 2 contain NaN or Inf',
        'the vector of the video contains NaN or Inf',
    ]


def test_a_vector_that_is_not_the_mean_is_found(folder):
    rewrite(folder, v=clips_of(1).mean(axis=0) * 1.001)
    (problem,) = problems(folder)
    assert 'not the mean of its clips' in problem


def test_rounding_to_half_precision_is_not_a_problem(folder):
    clips = clips_of(1)
    rewrite(folder, c=clips.astype(np.float16), v=clips.mean(axis=0).astype(np.float16))
    assert problems(folder) == []


def test_other_shapes_and_damaged_files_are_found_and_the_rest_is_still_checked(folder):
    rewrite(folder, 'a', v=np.zeros(7, 'f4'))
    (folder / 'b_c.npy').write_bytes(b'')
    (folder / 'c.json').write_text('{')
    found = verify(folder)
    assert [problem.video_id for problem in found] == ['a', 'b', 'c']
    assert 'a_v.npy has 7 dimensions per vector' in found[0].what
    assert 'b_c.npy is not a valid embedding file' in found[1].what
    assert 'c.json is not valid' in found[2].what


@pytest.mark.parametrize('ending', ['_c.npy', '_v.npy', '.json'])
def test_a_missing_file_is_found(folder, ending):
    (folder / f'b{ending}').unlink()
    assert f'has no b{ending}' in problems(folder)


def test_a_json_without_vectors_is_found(folder):
    for ending in ('_c.npy', '_v.npy'):
        (folder / f'b{ending}').unlink()
    assert problems(folder) == ['has no b_c.npy', 'has no b_v.npy']


def test_other_tools_folders_need_no_more_than_clips(folder):
    for path in [*folder.glob('*_v.npy'), *folder.glob('*.json')]:
        path.unlink()
    assert verify(folder) == []
    (folder / 'manifest.json').write_text(json.dumps(dict(videos=['a', 'b', 'c'])))
    assert problems(folder) == ['has no b.json', 'has no b_v.npy']


def test_videos_of_the_manifest_must_be_there_or_have_failed(folder):
    failure = dict(video_id='unreadable', path='unreadable.mp4', stage='open', reason='x')
    (folder / 'manifest.json').write_text(json.dumps(dict(videos=['a', 'b', 'lost', 'unreadable'])))
    (folder / 'failures.jsonl').write_text(json.dumps(failure) + '\n')
    assert verify(folder) == [
        Problem('c', 'is not in the manifest'),
        Problem('lost', 'is in the manifest but has neither embeddings nor a failure'),
    ]
    (folder / 'manifest.json').write_text('{')
    assert [problem.video_id for problem in verify(folder)] == ['manifest.json']


@pytest.mark.parametrize(
    ('change', 'part'),
    [
        (dict(duration=5.9), 'clips 2 end after the video, which is 5.9 s long'),
        (dict(duration=5.9), 'has 3 clips; 5.9 s should have 2 of 2 s every 2 s'),
        (dict(stride_seconds=1.0), 'has 3 clips; 6.5 s should have 5 of 2 s every 1 s'),
        (dict(duration='6.5'), 'duration is "6.5", not a length in seconds'),
        (dict(duration=1e14), '65 frames in 1e+14 s is impossible: its file had broken time stamps'),
        (dict(clip_seconds=-1), 'clip_seconds is -1, not a length'),
        (dict(clips=[dict(start=0, end=2)]), 'has 3 clips but times of 1'),
        (dict(clips=[dict(start=t, end=2) for t in range(3)]), 'clips 2 do not end after they start'),
        (dict(clips=[dict(start=t, end=5) for t in (0, 2, 1)]), 'clips are not in order of time'),
        (dict(clips=[1]), 'clips is not a list of {start, end}'),
    ],
)
def test_clips_that_do_not_fit_the_duration_are_found(folder, change, part):
    rewrite(folder, info=lambda info: info.update(change))
    assert any(part in problem for problem in problems(folder))


def test_a_video_that_broke_off_may_have_fewer_clips(folder):
    rewrite(folder, info=lambda info: info.update(duration=60.0))
    assert problems(folder)
    info = json.loads((folder / 'b.json').read_text())
    (folder / 'b.json').write_text(json.dumps(info | dict(fault='cut off')))
    assert problems(folder) == []


def test_two_processes_find_what_one_does(folder, monkeypatch):
    monkeypatch.setattr(verify_module, 'CHUNK', 1)
    np.save(folder / 'b_c.npy', np.zeros((3, 7), 'f4'))  # shorter than a's, which another process reads
    rewrite(folder, 'c', info=lambda info: info.update(duration=5.9, model='twlv_large'))
    found = verify(folder, processes=2)
    assert len(found) == 4
    assert found == verify(folder)


def test_vectors_that_were_exchanged_are_found_by_their_hashes(folder):
    for kind in 'cv':
        os.replace(folder / f'a_{kind}.npy', folder / f'b_{kind}.npy')
        np.save(folder / f'a_{kind}.npy', np.load(folder / f'b_{kind}.npy', allow_pickle=False))
    assert [problem.what.split()[0] for problem in verify(folder)] == ['clips_sha256', 'video_sha256']


def test_parquet_is_checked_as_the_published_layout_is(tmp_path):
    pytest.importorskip('pyarrow')
    from twlv_mm.embeddings.parquet import write_part

    videos = []
    for seed, video_id in enumerate('abc'):
        clips = clips_of(seed)
        videos.append(dict(video_id=video_id, clips=clips, times=TIMES, video=clips.mean(axis=0), info=dict(INFO)))
    write_part(tmp_path / 'part-0.parquet', videos)
    assert verify(tmp_path) == []
    (tmp_path / 'manifest.json').write_text(json.dumps(dict(videos=['a', 'b', 'c'])))
    assert verify(tmp_path) == []
    write_part(tmp_path / 'part-0.parquet', [video | dict(info={}) for video in videos])
    assert verify(tmp_path) == [Problem(name, 'has no info in the metadata of its Parquet file') for name in 'abc']
    videos[1].update(video=np.full(8, np.nan, 'f4'), times=TIMES + 1)
    videos[2]['info']['clips_sha256'] = 64 * '0'
    write_part(tmp_path / 'part-0.parquet', videos)
    assert [problem.what for problem in verify(tmp_path)] == [
        'clips 2 end after the video, which is 6.5 s long',
        'the vector of the video contains NaN or Inf',
        'clips_sha256 does not match the vectors: they were changed after they were written',
    ]


def test_videos_of_other_settings_are_found_without_a_manifest(folder):
    times = np.array([[0.0, 3.0], [3.0, 6.0]])
    write_embeddings(folder, 'b', clips_of(1)[:2], times, INFO | dict(clip_seconds=3.0, stride_seconds=3.0))
    assert problems(folder) == [
        'was made with other settings: clip_seconds is 3.0, not 2.0; stride_seconds is 3.0, not 2.0'
    ]
    assert len(verify(folder, repair=True)) == 1
    assert (folder / 'b.json').exists()  # it is not damaged


def test_repair_deletes_what_is_damaged_and_nothing_else(folder):
    np.save(folder / 'b_c.npy', clips_of(7))
    assert verify(folder, repair=True)
    assert sorted(path.name[0] for path in folder.iterdir()) == [*'aaaccc']
    assert verify(folder) == []


def test_repair_keeps_the_sound_videos_of_a_part(tmp_path):
    pytest.importorskip('pyarrow')
    from twlv_mm.embeddings.parquet import write_part
    from twlv_mm.embeddings.parquet_parts import ParquetPart

    videos = [
        dict(video_id=name, clips=clips_of(0), times=TIMES, video=clips_of(0).mean(axis=0), info=dict(INFO))
        for name in 'abc'
    ]
    videos[1]['info']['clips_sha256'] = 64 * '0'
    write_part(tmp_path / 'part-0.parquet', videos)
    assert [problem.video_id for problem in verify(tmp_path, repair=True)] == ['b']
    assert list(ParquetPart(tmp_path / 'part-0.parquet').rows) == ['a', 'c']
    assert verify(tmp_path) == []


def test_part_that_cannot_be_read_is_reported_and_the_rest_is_checked(tmp_path):
    pytest.importorskip('pyarrow')
    from twlv_mm.embeddings.parquet import write_part

    for name in 'abc':
        info = INFO | (dict(clips_sha256=64 * '0') if name == 'c' else {})
        video = dict(video_id=name, clips=clips_of(0), times=TIMES, video=clips_of(0).mean(axis=0), info=info)
        write_part(tmp_path / f'part-{name}.parquet', [video])
    os.truncate(tmp_path / 'part-a.parquet', 1000)
    assert [problem.video_id for problem in verify(tmp_path)] == ['c', 'part-a.parquet']
    assert len(verify(tmp_path, repair=True)) == 2
    assert [path.name for path in sorted(tmp_path.glob('part-*'))] == ['part-a.parquet.damaged', 'part-b.parquet']
    assert verify(tmp_path) == []
    os.truncate(tmp_path / 'part-b.parquet', 1000)
    assert [problem.video_id for problem in verify(tmp_path)] == ['part-b.parquet']


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder of embeddings')
@pytest.mark.parametrize('name', ['thumos14/train', 'thumos14/val', 'gtea/train'])
def test_sound_embeddings_of_others_have_no_problems(name):
    assert verify(Path(os.environ['TWLV_SHARED']) / 'planted' / name) == []
