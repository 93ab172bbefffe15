"""The index in LanceDB: what it finds, how it follows its folder, and kills while it is built."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from twlv_mm.embeddings import EmbeddingFolder, folder_settings, write_embeddings
from twlv_mm.search import Collection, IndexedCollection, index, update_index
from twlv_mm.search.lance_table import create_table
from twlv_mm.search.moments import answer
from twlv_mm.search.query import Query

from ..commands import run_tool

pytestmark = pytest.mark.skipif(not find_spec('lancedb'), reason='LanceDB is not installed')
ROOT = Path(__file__).parents[2]
VIDEOS, CLIPS, DIMS = 150, 4, 16
TIMES = np.stack([np.arange(CLIPS), np.arange(CLIPS) + 1], axis=1).astype(float)
INFO = dict(duration=float(CLIPS), num_frames=10 * CLIPS, model='twlv_base', sampling='multi-clip', clip_seconds=1.0)


def clips_of(number):
    """Clips of a video around a direction of its own."""
    rng = np.random.default_rng(number)
    return (rng.standard_normal(DIMS) + 0.3 * rng.standard_normal((CLIPS, DIMS))).astype(np.float32)


def save(folder, *numbers, **info):
    for number in numbers:
        write_embeddings(folder, f"it's {number:03d}", clips_of(number), TIMES, INFO | info)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(index, 'LEAST_INDEXED', 400)
    monkeypatch.setattr(index, 'COMMIT_NUMBERS', 100 * DIMS)
    save(tmp_path / 'split', *range(VIDEOS))
    return tmp_path / 'split'


def clips_in(folder):
    rows = IndexedCollection(folder)._table.search().select(['video_id', 'clip']).to_arrow()
    return sorted(zip(rows['video_id'].to_pylist(), rows['clip'].to_pylist(), strict=True))


def expected(*numbers):
    return [(f"it's {number:03d}", clip) for number in numbers for clip in range(CLIPS)]


def test_index_finds_what_exact_search_finds(folder):
    assert update_index(folder) == (VIDEOS, 0, VIDEOS, VIDEOS * CLIPS)
    exact, indexed = Collection(folder), IndexedCollection(folder)
    assert {index.name for index in indexed._table.list_indices()} == {'video_id_idx', 'vector_idx'}
    assert indexed.recall(queries=50) > 0.9
    assert indexed.video_ids == exact.video_ids
    query = Query('q', dict(forward=clips_of(7)[2]), 2, 3, 1, None, frozenset(["it's 007"]))
    for without_own in (False, True):
        there, here = (answer(query, collection, 3, without_own) for collection in (exact, indexed))
        assert [hit[:3] for hit in here.hits['forward']] == [hit[:3] for hit in there.hits['forward']]
        for hit, same in zip(here.hits['forward'], there.hits['forward'], strict=True):
            assert hit.cosine == pytest.approx(same.cosine, abs=1e-5)
        assert (here.num_clips, here.num_videos) == (there.num_clips, there.num_videos)
    assert there.hits['forward'][0].video_id != "it's 007"


def test_recall_of_an_index_that_looks_at_little_is_lower(folder):
    update_index(folder)
    assert IndexedCollection(folder).recall(partitions=1, refined=1) < 0.9


def test_index_that_was_killed_before_its_first_clip_goes_on(folder):
    create_table(folder, None, DIMS, folder_settings(EmbeddingFolder(folder)))
    assert update_index(folder).added == VIDEOS


def test_index_follows_its_folder(folder):
    update_index(folder)
    save(folder, VIDEOS, VIDEOS + 1)
    for ending in ('_c.npy', '_v.npy', '.json'):
        (folder / f"it's 003{ending}").unlink()
    write_embeddings(folder, "it's 005", clips_of(999)[:2], TIMES[:2], INFO)
    assert update_index(folder) == (3, 2, VIDEOS + 1, (VIDEOS + 1) * CLIPS - 2)
    there = [number for number in range(VIDEOS + 2) if number != 3]
    assert clips_in(folder) == [place for place in expected(*there) if place not in expected(5)[2:]]
    found = IndexedCollection(folder).nearest_clips(clips_of(999)[1], 1)
    assert found[0][:2] == ("it's 005", 1)
    assert update_index(folder)[:2] == (0, 0)


def test_parquet_is_indexed_as_npy_is(folder, tmp_path):
    from twlv_mm.embeddings.parquet import write_part

    (tmp_path / 'parquet').mkdir()
    videos = (
        dict(
            video_id=f"it's {number:03d}",
            clips=clips_of(number),
            times=TIMES,
            video=clips_of(number).mean(axis=0),
            info=INFO,
        )
        for number in range(VIDEOS)
    )
    write_part(tmp_path / 'parquet/part-00000-of-00001-00000.parquet', videos)
    update_index(tmp_path / 'parquet')
    assert clips_in(tmp_path / 'parquet') == expected(*range(VIDEOS))
    times, vectors = IndexedCollection(tmp_path / 'parquet').clips("it's 009")
    np.testing.assert_array_equal(vectors, clips_of(9))
    np.testing.assert_array_equal(times, TIMES)


def test_vectors_of_other_settings_do_not_mix(folder):
    update_index(folder)
    for path in folder.glob('*.json'):
        path.write_text(path.read_text().replace('twlv_base', 'twlv_large'))
    with pytest.raises(ValueError, match='made with other settings'):
        update_index(folder)
    (folder / 'manifest.json').write_text(json.dumps(dict(settings=[dict(INFO, model='twlv_large')], videos=[])))
    with pytest.raises(ValueError, match='extracted again with other settings'):
        IndexedCollection(folder)


def test_folder_without_an_index_is_reported(folder):
    with pytest.raises(FileNotFoundError, match='the index .* does not exist: .*--index --in'):
        IndexedCollection(folder)
    assert not (folder / '.lance').exists()


def test_without_lancedb_the_error_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, 'lancedb', None)
    with pytest.raises(ImportError, match=r"pip install 'twlv-i\[lance\]'"):
        update_index(folder)


def test_killed_building_goes_on_where_it_was(folder, fresh):
    """In an interpreter of its own: the threads of lancedb do not outlive a fork."""
    code = (
        'import os, sys\n'
        'from twlv_mm.search import index\n'
        'index.LEAST_INDEXED, index.COMMIT_NUMBERS = 400, 100 * 16\n'
        'told = []\n'
        'def progress(clips):\n'
        '    told.append(clips)\n'
        '    if len(told) == 3:\n'
        '        os.kill(os.getpid(), 9)\n'
        'index.update_index(sys.argv[1], progress=progress)\n'
    )
    assert fresh.run(code, folder).returncode == -9
    there = clips_in(folder)
    assert len(there) >= 300
    assert there == expected(*range(len(there) // CLIPS))
    assert update_index(folder).added == VIDEOS - len(there) // CLIPS
    assert clips_in(folder) == expected(*range(VIDEOS))


def test_command_builds_the_index_and_searches_by_it(embedded, capsys, tmp_path):
    folder = str(embedded / 'multi-clip/npy')

    def search(*arguments):
        place = ['--uri', str(tmp_path / 'lance')] if '--index' in arguments else []
        assert run_tool('search.py', *arguments, '--in', folder, *place) == 0
        return capsys.readouterr().out

    assert '3 videos added, 0 removed: 39 clips of 3 videos' in (said := search('--index'))
    assert 'recall@10 100.0 %' in said
    search('one#4', '--index', '--json', str(tmp_path / 'indexed.json'))
    search('one#4', '--json', str(tmp_path / 'exact.json'))
    indexed, exact = (json.loads((tmp_path / f'{name}.json').read_text()) for name in ('indexed', 'exact'))
    assert [hit['video_id'] for hit in indexed['forward']['hits']] == [
        hit['video_id'] for hit in exact['forward']['hits']
    ]
    assert (indexed['exact'], exact['exact']) == (False, True)
