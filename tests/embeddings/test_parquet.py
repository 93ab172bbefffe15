"""Parquet files of embeddings, ours and other tools'."""

import json
import pickle
import sys
from datetime import datetime

import numpy as np
import pytest

from twlv_mm.embeddings import parquet
from twlv_mm.embeddings.folder import EmbeddingFolder
from twlv_mm.embeddings.matrix import load_matrix
from twlv_mm.embeddings.parquet import schema, write_part
from twlv_mm.embeddings.parquet_parts import ParquetPart

pa = pytest.importorskip('pyarrow')
pq = pytest.importorskip('pyarrow.parquet')

ORIGIN = ['model', 'weights_sha256', 'sampling']
COLUMNS = ['video_id', 'scope', 'start_sec', 'end_sec', 'clip_index', 'embedding', *ORIGIN]


def make(video_id, seed, count=3, dims=8, **info):
    clips = np.random.default_rng(seed).standard_normal((count, dims), dtype=np.float32)
    times = np.stack([np.arange(count), np.arange(count) + 1.5], axis=1) / 3
    info = (
        dict(duration=count + 0.25, num_frames=30, model='twlv_base', weights_sha256=None, sampling='multi-clip') | info
    )
    return dict(video_id=video_id, clips=clips, times=times, video=clips.mean(axis=0), info=info)


@pytest.fixture
def videos():
    return [make('a', 0), make('sub/b', 1, count=5, annotation=[1, 2]), make('c', 2, count=1)]


def check(folder, videos):
    assert folder.format == 'parquet'
    assert folder.video_ids == sorted(video['video_id'] for video in videos)
    for video in videos:
        video_id = video['video_id']
        np.testing.assert_array_equal(folder.clips(video_id), video['clips'])
        np.testing.assert_array_equal(folder.times(video_id), video['times'])
        np.testing.assert_allclose(folder.video(video_id), video['video'], rtol=1e-6)


def test_what_is_written_is_read(tmp_path, videos):
    assert write_part(tmp_path / 'part-0.parquet', videos[:2]) == 2
    write_part(tmp_path / 'part-1.parquet', videos[2:])
    folder = EmbeddingFolder(tmp_path)
    check(folder, videos)
    assert folder.dims == 8
    assert [folder.info(video['video_id']) for video in videos] == [video['info'] for video in videos]
    assert (folder.annotation('sub/b'), folder.annotation('a')) == ([1, 2], None)


def test_rows_are_a_videos_clips_in_order_and_then_the_video(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos[:1])
    table = pq.read_table(tmp_path / 'part-0.parquet')
    assert table.schema.names == COLUMNS
    assert table.schema.remove_metadata() == schema(8)
    assert table['embedding'].type == pa.list_(pa.float32(), 8)
    assert table['scope'].to_pylist() == ['clip'] * 3 + ['video']
    assert table['clip_index'].to_pylist() == [0, 1, 2, None]
    assert table['end_sec'].to_pylist()[-2:] == [3.5 / 3, 3.25]
    stored = pq.read_metadata(tmp_path / 'part-0.parquet').metadata
    assert json.loads(stored[b'twlv_mm_videos']) == {'a': videos[0]['info']}


def test_the_same_videos_give_the_same_bytes_and_nothing_else(tmp_path, videos):
    for name in ('part-0.parquet', 'part-1.parquet'):
        write_part(tmp_path / name, iter(videos))
    assert (tmp_path / 'part-0.parquet').read_bytes() == (tmp_path / 'part-1.parquet').read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_videos_are_read_back_one_by_one_in_the_files_order(tmp_path, videos):
    path = tmp_path / 'part-0.parquet'
    write_part(path, videos)
    assert list(ParquetPart(path).rows) == ['a', 'sub/b', 'c']
    part = ParquetPart(path)
    write_part(tmp_path / 'part-1.parquet', map(part.read, part.rows))
    assert (tmp_path / 'part-1.parquet').read_bytes() == path.read_bytes()


def test_videos_of_many_row_groups_are_read(tmp_path):
    videos = [make(f'v{number:03d}', number, count=number % 40 + 1) for number in range(60)] + [make('long', 99, 700)]
    write_part(tmp_path / 'part-0.parquet', videos)
    assert pq.read_metadata(tmp_path / 'part-0.parquet').num_row_groups > 3
    check(EmbeddingFolder(tmp_path), videos)


def test_matrix_of_parquet_is_in_the_order_of_the_ids(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    matrix = load_matrix(tmp_path, 'clip')
    assert matrix.video_ids == ['a', 'c', 'sub/b']
    np.testing.assert_array_equal(matrix.vectors, np.concatenate([videos[i]['clips'] for i in (0, 2, 1)]))


@pytest.mark.parametrize('kind', [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 8)])
def test_files_of_other_tools_are_read_without_metadata_and_in_any_order(tmp_path, videos, kind):
    write_part(tmp_path / 'part-0.parquet', videos)
    table = pq.read_table(tmp_path / 'part-0.parquet').replace_schema_metadata(None)
    table = table.take(np.random.default_rng(0).permutation(len(table)))
    position = table.schema.get_field_index('embedding')
    table = table.set_column(position, 'embedding', pa.array(table['embedding'].to_pylist(), kind))
    table = table.set_column(0, 'video_id', table['video_id'].cast(pa.large_string()))
    table = table.set_column(4, 'clip_index', table['clip_index'].cast(pa.int64())).append_column(
        'more', table['scope']
    )
    pq.write_table(table, tmp_path / 'part-0.parquet', store_schema=False, row_group_size=4)
    folder = EmbeddingFolder(tmp_path)
    check(folder, videos)
    assert folder.info('a') == {}


def test_rows_of_videos_may_be_missing_and_then_the_mean_stands_for_them(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    table = pq.read_table(tmp_path / 'part-0.parquet')
    pq.write_table(table.filter(pa.compute.equal(table['scope'], 'clip')), tmp_path / 'part-0.parquet')
    check(EmbeddingFolder(tmp_path), videos)


def test_repeated_or_missing_clips_are_refused(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    table = pq.read_table(tmp_path / 'part-0.parquet')
    for rows in ([0, 2, 3], [0, 1, 1, 2, 3], [0, 1, 2, 3, 3]):
        pq.write_table(table.take(rows), tmp_path / 'part-0.parquet')
        with pytest.raises(ValueError, match=r"part-0\.parquet: the rows of 'a' are not clips 0, 1, 2"):
            EmbeddingFolder(tmp_path)


def test_a_video_in_two_files_is_refused(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    write_part(tmp_path / 'part-1.parquet', videos[:1])
    with pytest.raises(ValueError, match=r"'a' is in .*part-0\.parquet and in .*part-1\.parquet"):
        EmbeddingFolder(tmp_path)


def test_files_of_two_encoders_are_refused(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    write_part(tmp_path / 'part-1.parquet', [make('d', 3, dims=5)])
    with pytest.raises(ValueError, match=r'part-1\.parquet has 5 dimensions per vector, .*part-0\.parquet has 8'):
        EmbeddingFolder(tmp_path)


def test_a_flipped_bit_in_the_vectors_is_noticed(tmp_path, videos):
    path = tmp_path / 'part-0.parquet'
    write_part(path, videos)
    content = bytearray(path.read_bytes())
    content[content.index(videos[1]['clips'].tobytes()) + 10] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'part-0\.parquet is not a valid embedding file .*CRC'):
        EmbeddingFolder(tmp_path).clips('sub/b')


@pytest.mark.parametrize('length', [0, 3, 100, -10])
def test_a_cut_file_is_refused(tmp_path, videos, length):
    path = tmp_path / 'part-0.parquet'
    write_part(path, videos)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r'part-0\.parquet is not a valid embedding file'):
        EmbeddingFolder(tmp_path)


@pytest.mark.parametrize(
    ('column', 'values', 'error'),
    [
        ('embedding', ['a', 'b'], 'embedding is string, not lists of floating-point numbers'),
        ('embedding', [[1, 2], [3, 4]], 'embedding is list<.*int64>, not lists of floating-point numbers'),
        ('embedding', [None, [1.0, 2.0]], 'the first row has no vector'),
        ('start_sec', [datetime(1970, 1, 1)] * 2, r'start_sec is timestamp\[us\], not seconds'),
    ],
)
def test_columns_of_other_kinds_are_refused(tmp_path, column, values, error):
    columns = dict(video_id=['a', 'b'], scope=['clip'] * 2, start_sec=[0.0] * 2, end_sec=[1.0] * 2, clip_index=[0] * 2)
    columns |= dict(embedding=[[1.0, 2.0]] * 2)
    pq.write_table(pa.table(columns | {column: values}), tmp_path / 'part-0.parquet')
    with pytest.raises(ValueError, match=rf'part-0\.parquet is not a valid embedding file \({error}\)'):
        EmbeddingFolder(tmp_path)


def test_a_file_with_other_columns_is_refused(tmp_path):
    pq.write_table(pa.table(dict(video_id=['a'], embedding=[[1.0]])), tmp_path / 'part-0.parquet')
    with pytest.raises(ValueError, match='no column scope, start_sec, end_sec, clip_index'):
        EmbeddingFolder(tmp_path)


def test_two_formats_are_read_as_npy_if_that_has_every_video(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos[:1])
    np.save(tmp_path / 'z_c.npy', videos[1]['clips'])
    with pytest.raises(ValueError, match=r'1 videos as npy files, but 1 of its Parquet files.*\(a\)'):
        EmbeddingFolder(tmp_path)
    np.save(tmp_path / 'a_c.npy', videos[0]['clips'])
    folder = EmbeddingFolder(tmp_path)
    assert (folder.format, folder.video_ids) == ('npy', ['a', 'z'])


def test_a_folder_that_was_read_travels_to_other_processes(tmp_path, videos):
    write_part(tmp_path / 'part-0.parquet', videos)
    folder = EmbeddingFolder(tmp_path)
    check(folder, videos)
    check(pickle.loads(pickle.dumps(folder)), videos)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, videos):
    path = tmp_path / 'part-0.parquet'
    write_part(path, videos)
    content = path.read_bytes()
    for wrong, message in (
        ([*videos, videos[0]], "duplicate video 'a'"),
        ([*videos, make('d', 3, dims=5)], "vectors of 'd' differ in length"),
        ([*videos, make('d', 3) | dict(times=np.zeros((2, 2)))], r"video 'd': clips \(3, 8\), times \(2, 2\)"),
        ([], 'no video to write'),
    ):
        with pytest.raises(ValueError, match=message):
            write_part(path, wrong)
    with pytest.raises(ValueError, match=r'name it part-\*\.parquet'):
        write_part(tmp_path / 'videos.parquet', videos)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_without_pyarrow_the_error_says_what_to_install(tmp_path, videos, monkeypatch):
    write_part(tmp_path / 'part-0.parquet', videos)
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(ImportError, match='pip install pyarrow'):
        EmbeddingFolder(tmp_path)
    with pytest.raises(ImportError, match='pip install pyarrow'):
        parquet.write_part(tmp_path / 'part-1.parquet', videos)
