"""A folder from somebody else may hold links and names that lead elsewhere, and files that claim to be huge."""

import io
import json
import os
import signal
import tarfile
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from tests.report.records import record, write
from twlv_mm.compat.video_backend import write_gif, write_mp4
from twlv_mm.embeddings import (
    EmbeddingFolder,
    encoder_of,
    load_matrix,
    matrix,
    named_source,
    verify,
    write_embeddings,
)
from twlv_mm.encoders import read_checkpoint
from twlv_mm.evaluation import evaluation, steps
from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.tasks import generated_tasks, generated_views
from twlv_mm.localization import ExternalScores
from twlv_mm.pretraining import ShardDataset
from twlv_mm.pretraining.shards import TarBackend, index_shard, member_path
from twlv_mm.recognition.datasets.lists import Sample, write_list
from twlv_mm.records import checks, write_figure
from twlv_mm.report import find_runs, write_report
from twlv_mm.search import find_moments
from twlv_mm.segmentation.labels import read_split
from twlv_mm.synthetic import make_images
from twlv_mm.video import write_video

HUGE = 4_000_000_000
FRAMES = np.zeros((2, 32, 48, 3), np.uint8)
VIEW = dict(title='SSv2', folder='embeddings', ann_file=None, class_names=None)


def shard(folder):
    (folder / 'a.jpg').write_bytes(b'x')
    with tarfile.open(folder / 's.tar', 'w') as tar:
        tar.add(folder / 'a.jpg', 'a.jpg')
    index_shard(str(folder / 's.tar'))


def images(folder):
    make_images(folder, num_train=1, num_test=1, workers=1)


def figure(folder):
    from matplotlib.figure import Figure

    write_figure(folder / 'f.png', Figure(figsize=(1, 1)))


@pytest.mark.parametrize(
    ('name', 'write'),
    [
        ('l.txt', lambda folder: write_list(folder / 'l.txt', [Sample('a.mp4', 0)])),
        ('l.txt.partial', lambda folder: write_list(folder / 'l.txt', [Sample('a.mp4', 0)])),
        ('s.tar.index.npy', shard),
        ('s.tar.index.npy.partial', shard),
        ('v.mp4', lambda folder: write_video(folder / 'v.mp4', FRAMES)),
        ('v.mp4.partial', lambda folder: write_video(folder / 'v.mp4', FRAMES)),
        ('v.mp4', lambda folder: write_mp4(folder / 'v.mp4', FRAMES, 4)),
        ('v.gif', lambda folder: write_gif(folder / 'v.gif', FRAMES, 4)),
        ('f.png', figure),
    ],
)
def test_link_at_the_name_of_what_is_written_is_not_followed(name, write, tmp_path):
    precious = tmp_path / 'precious'
    precious.write_text('precious')
    folder = tmp_path / 'received'
    folder.mkdir()
    (folder / name).symlink_to(precious)
    write(folder)
    assert precious.read_text() == 'precious'


def test_links_in_an_unfinished_set_of_generated_files_are_not_followed(tmp_path):
    images(tmp_path / 'images')
    precious = tmp_path / 'precious'
    precious.write_text('precious')
    manifest = tmp_path / 'images/manifest.json'
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | dict(complete=False)))
    picture = next((tmp_path / 'images').rglob('*.png'))
    picture.unlink()
    for path in (picture, tmp_path / 'images/manifest.json.partial'):
        path.symlink_to(precious)
    images(tmp_path / 'images')
    assert precious.read_text() == 'precious'


def test_links_in_the_folder_of_an_evaluation_are_not_followed(tmp_path, monkeypatch):
    """The lock and the log of an earlier evaluation are emptied when it goes on."""
    monkeypatch.setattr(steps, 'TWLV', ('true',))
    one = evaluation.Evaluation(find_encoder('twlv_small_synthetic', None, 'small'), [], tmp_path / 'out')
    precious = tmp_path / 'precious'
    precious.write_text('precious')
    (one.root / 'logs').mkdir(parents=True)
    for name in ('.lock', 'logs/extract.txt'):
        (one.root / name).symlink_to(precious)
    for run in (one.run, lambda: one._step('extract', 'extract')):
        with pytest.raises((OSError, ValueError)):
            run()
    assert precious.read_text() == 'precious'


@pytest.fixture
def evaluated(tmp_path):
    """The folder of an evaluation, with a link that leads out."""
    folder = tmp_path / 'received'
    (folder / 'embeddings').mkdir(parents=True)
    (tmp_path / 'secret').write_text('root:x:0:0\ndaemon:x:1:1\n')
    (folder / 'link').symlink_to(tmp_path / 'secret')
    for number in range(8):
        info = dict(annotation=number % 2, duration=2.0, num_frames=16)
        clips = np.random.default_rng(number).normal(size=(1, 6)).astype(np.float32)
        write_embeddings(folder / 'embeddings', f'v{number}', clips, np.array([[0.0, 2.0]]), info)
    return folder


@pytest.mark.parametrize('name', ['folder', 'ann_file', 'class_names'])
@pytest.mark.parametrize('file', ['link', '../secret', '/etc/passwd'])
def test_views_of_an_evaluation_name_nothing_outside_of_it(evaluated, name, file):
    said = dict(encoder='e', tasks=[], views=[VIEW, VIEW | {name: file}])
    (evaluated / 'evaluation.json').write_text(json.dumps(said))
    ((_, said),) = find_runs(evaluated).evaluations
    assert [view['folder'] for view in said['views']] == [str(evaluated / 'embeddings')]
    assert 'leads out of' in said['left_out'][0]


def test_report_shows_nothing_from_outside_of_an_evaluation(evaluated, tmp_path):
    said = dict(encoder='e', tasks=[], views=[VIEW | dict(class_names=str(tmp_path / 'secret'))])
    (evaluated / 'evaluation.json').write_text(json.dumps(said))
    page, text = write_report(evaluated)
    assert 'daemon:x' not in page.read_text() + text.read_text()
    assert 'leads out of' in page.read_text()


def test_report_takes_no_results_by_a_link_that_leads_out(tmp_path):
    write(tmp_path, 'elsewhere', record('recognition_knn', 'k400', {'acc/top1': 50.0}))
    (tmp_path / 'received/run').mkdir(parents=True)
    (tmp_path / 'received/run/results.json').symlink_to(tmp_path / 'elsewhere/results.json')
    found = find_runs(tmp_path / 'received')
    assert not found.runs
    assert 'by a link' in found.rejected[0][1]


def test_evaluation_keeps_the_lists_that_its_views_need(tmp_path):
    """So that its folder can be given to somebody else."""
    data = tmp_path / 'data'
    (data / 'trimmed').mkdir(parents=True)
    for label in ('appearance', 'motion'):
        (data / f'trimmed/test_{label}.txt').write_text('a.mp4 0\n')
        (data / f'trimmed/classes_{label}.txt').write_text(f'{label}\n')
    encoder = find_encoder('twlv_small_synthetic', None, 'small')
    one = evaluation.Evaluation(encoder, generated_tasks(data)[:0], tmp_path / 'out', views=generated_views(data))
    one.run()
    (one.root / 'embeddings/trimmed/uniform/test').mkdir(parents=True)
    ((_, said),) = find_runs(tmp_path / 'out').evaluations
    assert not said['left_out']
    for view, label in zip(said['views'], ('appearance', 'motion'), strict=True):
        assert view['class_names'].startswith(str(one.root))
        with open(view['class_names']) as file:
            assert file.read() == f'{label}\n'


@pytest.mark.parametrize('line', ['../../outside', '/etc/passwd', 'a/../../b'])
def test_bundle_names_no_video_outside(line, tmp_path):
    (tmp_path / 'splits').mkdir()
    (tmp_path / 'splits/train.split1.bundle').write_text(f'a.txt\n{line}.txt\n')
    with pytest.raises(ValueError, match=r'train\.split1\.bundle, line 2: .* leads out'):
        read_split(tmp_path, 'train', 1)


@pytest.mark.parametrize('video_id', ['../../x', '/etc/x', 'a\x1b[2J', ''])
def test_parquet_names_no_video_outside(video_id, tmp_path):
    pytest.importorskip('pyarrow')
    from twlv_mm.embeddings.parquet import write_part

    clips = np.ones((1, 4), np.float32)
    video = dict(video_id=video_id, clips=clips, times=np.array([[0.0, 1.0]]), video=clips[0], info={})
    with pytest.raises(ValueError, match=r'part-0\.parquet, a video_id'):
        write_part(tmp_path / 'part-0.parquet', [video])
    assert not os.listdir(tmp_path)


def test_links_that_lead_back_are_read_once(tmp_path):
    for name in ('a', 'b'):
        write_embeddings(tmp_path / name, 'v', np.ones((1, 4), np.float32), np.array([[0.0, 1.0]]), {})
        for place in range(3):
            (tmp_path / name / f'link{place}').symlink_to(tmp_path)
    assert EmbeddingFolder(tmp_path).video_ids == ['a/v', 'b/v']


def npy(shape, dtype='<f4', content=b''):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, dict(descr=dtype, fortran_order=False, shape=shape))
    return file.getvalue() + content


def test_scores_that_unpack_to_gigabytes_are_refused(tmp_path):
    path = tmp_path / 'scores.npz'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive, archive.open('v.npy', 'w') as file:
        for _ in range(1200):
            file.write(bytes(1_000_000))
    assert path.stat().st_size < 10_000_000
    with pytest.raises(ValueError, match=r'scores\.npz .*unpacks to 1,200,000,000 bytes'):
        ExternalScores(path)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('v.npy', npy((HUGE,), '<f8', bytes(16)))
    with pytest.raises(ValueError, match=r'scores\.npz cannot be read'):
        ExternalScores(path)


def embeddings(folder, **info):
    write_embeddings(folder, 'v', np.ones((1, 4), np.float32), np.array([[0.0, 1.0]]), info)
    return folder


def test_embeddings_that_claim_to_be_huge_are_refused(tmp_path):
    folder = embeddings(tmp_path)
    (tmp_path / 'v_c.npy').write_bytes(npy((HUGE, 4), content=bytes(16)))
    with pytest.raises(ValueError, match=r'v_c\.npy is not a valid embedding file'):
        EmbeddingFolder(folder).clips('v')


@pytest.mark.parametrize('lengths', [dict(duration=1e12), dict(duration=900_000.0, stride_seconds=1e-6)])
def test_verify_makes_no_thousand_million_windows(lengths, tmp_path):
    info = dict(duration=1.0, clip_seconds=1.0, stride_seconds=1.0) | lengths
    said = ' '.join(one.what for one in verify(embeddings(tmp_path, **info)))
    assert 's should have about ' in said


def test_parquet_with_more_rows_than_its_size_accounts_for_is_refused(tmp_path):
    pa, pq = pytest.importorskip('pyarrow'), pytest.importorskip('pyarrow.parquet')
    count = 2_000_000
    same = pa.array(np.zeros(count, np.int8))
    table = pa.table(
        dict(
            video_id=pa.DictionaryArray.from_arrays(same, pa.array(['v' * 1000])),
            scope=pa.DictionaryArray.from_arrays(same, pa.array(['clip'])),
            start_sec=pa.repeat(0.0, count),
            end_sec=pa.repeat(1.0, count),
            clip_index=pa.repeat(0, count),
            embedding=pa.FixedSizeListArray.from_arrays(pa.repeat(pa.scalar(0.0, pa.float32()), count), 1),
        )
    )
    pq.write_table(table, tmp_path / 'part-0.parquet', compression='zstd')
    assert (tmp_path / 'part-0.parquet').stat().st_size < 300_000
    with pytest.raises(ValueError, match=r'part-0\.parquet .*2,000,000 rows .*cannot be compressed'):
        EmbeddingFolder(tmp_path)


def test_matrix_of_another_origin_is_rebuilt(tmp_path):
    """Its index could ask for any number of rows."""
    folder = embeddings(tmp_path)
    load_matrix(folder)
    path = tmp_path / '.matrix-video.json'
    index = json.loads(path.read_text())
    with open(tmp_path / '.matrix-video.npy', 'rb') as file:
        crc32 = matrix._checksum(file, index['fingerprint'], [HUGE])
    path.write_text(json.dumps(index | dict(counts=[HUGE], crc32=crc32)))
    assert load_matrix(folder).video_index.tolist() == [0]


@pytest.mark.parametrize(
    ('name', 'read'),
    [
        ('results.json', lambda folder: find_runs(folder)),
        ('evaluation.json', lambda folder: find_runs(folder)),
        ('v_c.npy', lambda folder: EmbeddingFolder(folder).clips('v')),
        ('v.json', lambda folder: EmbeddingFolder(folder).info('v')),
        ('manifest.json', lambda folder: verify(folder)),
        ('failures.jsonl', lambda folder: verify(folder)),
        ('s.pkl', lambda folder: ExternalScores(folder / 's.pkl')),
        ('s.npz', lambda folder: ExternalScores(folder / 's.npz')),
        ('w.pth', lambda folder: read_checkpoint(folder / 'w.pth')),
    ],
)
@pytest.mark.parametrize('link', [False, True])
def test_pipe_in_the_place_of_a_file_is_not_waited_for(name, read, link, tmp_path):
    folder = embeddings(tmp_path / 'received')
    path = folder / name
    path.unlink(missing_ok=True)
    if link:
        os.mkfifo(tmp_path / 'pipe')
        path.symlink_to(tmp_path / 'pipe')
    else:
        os.mkfifo(path)

    def waits(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, waits)
    signal.alarm(10)
    try:
        with suppress(ValueError, FileNotFoundError):
            read(folder)
    finally:
        signal.alarm(0)


def test_index_of_a_shard_that_claims_to_be_huge_is_refused(tmp_path):
    shard(tmp_path)
    kind = [('name', 'S5'), ('offset', '<i8'), ('size', '<i8')]
    for content in (npy((HUGE,), kind, bytes(40)), npy((5,), '<f8', bytes(40)), b'PK', b''):
        (tmp_path / 's.tar.index.npy').write_bytes(content)
        with pytest.raises(ValueError, match=r's\.tar\.index\.npy'):
            ShardDataset(str(tmp_path / 's.tar'), [])
    with pytest.raises(OSError, match='ends within its member'):
        TarBackend().get(member_path(tmp_path / 's.tar', 'a.jpg', 512, HUGE))


def test_values_in_a_message_are_short_however_much_they_hold():
    value = 'a'
    for _ in range(100):
        value = [value] * 10
    assert len(checks.shown(value)) <= 80
    with pytest.raises(ValueError, match='not a list of numbers'):
        checks.array(value, 'here', 1)


@pytest.mark.parametrize('kind', ['mmaction', 'module'])
def test_embeddings_that_name_code_as_their_encoder_run_none_of_it(tmp_path, monkeypatch, kind):
    (tmp_path / 'theirs.py').write_text(f'open({str(tmp_path / "ran")!r}, "w").close()\ndef make(): pass\n')
    monkeypatch.syspath_prepend(tmp_path)
    source = f'mmaction:{tmp_path}/theirs.py' if kind == 'mmaction' else 'theirs:make'
    settings = dict(model='theirs', source=source, weights_sha256=None, sampling='uniform')
    info = dict(settings, duration=1.0, num_frames=8)
    write_embeddings(tmp_path / 'uniform/all', 'v', np.ones((1, 4), np.float32), np.array([[0.0, 1.0]]), info)
    assert encoder_of(settings).spec.source == source
    video = tmp_path / 'video.mp4'
    write_video(video, np.zeros((8, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match='which is code: to run it, name it yourself'):
        find_moments(str(video), tmp_path / 'uniform/all')
    with pytest.raises(ValueError, match='which is code'):
        named_source(settings, 'checkpoint.pth')
    assert not (tmp_path / 'ran').exists()
