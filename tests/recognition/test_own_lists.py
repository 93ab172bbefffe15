"""Lists of one's own videos: from folders and tables, split without leaks, with what was left out said and kept."""

import json
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from twlv_mm.analysis.labelled_vectors import load_vectors
from twlv_mm.recognition import LabelledEmbeddings
from twlv_mm.recognition.datasets import make_lists, read_list
from twlv_mm.recognition.datasets.video_list_dataset import VideoListDataset
from twlv_mm.recognition.label_check import check_labels
from twlv_mm.records import list_line

from ..commands import run_tool

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def videos(tmp_path):
    """Makes files below a folder; content says whether they are empty."""

    def make(*names, content='x'):
        for name in names:
            path = tmp_path / 'videos' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path / 'videos'

    return make


def lists(folder, *names):
    return [[(sample.file, sample.label) for sample in read_list(str(folder / f'{name}.txt'))] for name in names]


def test_folder_a_class_becomes_lists_that_the_dataset_reads_with_names(videos, tmp_path):
    names = [f'{label}/take {n}.mp4' for label in ('run', 'sit down') for n in range(5)]
    folder = videos(*names)
    out = tmp_path / 'lists'
    told = make_lists(folder, out)
    train, val = lists(out, 'train', 'val')
    assert sorted(train + val) == [(name, int(name.startswith('sit'))) for name in sorted(names)]
    assert [label for _, label in val] == [0, 1]
    assert 'train.txt: 8, 4 for each of 2 classes' in told[1]

    init_default_scope('mmaction')
    dataset = VideoListDataset(str(out / 'val.txt'), pipeline=[], data_prefix=dict(video=str(folder)), test_mode=True)
    assert dataset.metainfo['classes'] == ['run', 'sit down']
    assert dataset[1]['filename'] == str(folder / val[1][0])
    with pytest.raises(ValueError, match=r'2 class names, but the head has num_classes=3'):
        check_labels(dataset, 3)
    (out / 'classes.txt').write_text('run\n')
    with pytest.raises(ValueError, match=r'val\.txt has the label 1, but classes\.txt beside it has 1 names'):
        VideoListDataset(str(out / 'val.txt'), pipeline=[], data_prefix=dict(video=str(folder)))


def test_what_is_left_out_is_reported_and_recorded(videos, tmp_path):
    folder = videos('run/a.mp4', 'run/b.mp4', 'sit/c.mp4', 'sit/d.mp4', 'once/e.mp4', 'f.mp4', 'run/g\n.mp4', 'h/i.txt')
    videos('run/empty.mp4', content='')
    told = '\n'.join(make_lists(folder, tmp_path / 'out'))
    record = json.loads((tmp_path / 'out/lists.json').read_text())
    reasons = {one['file']: one['reason'] for one in record['left_out']}
    assert reasons.keys() == {'once/e.mp4', 'f.mp4', 'run/g\n.mp4', 'h/i.txt', 'run/empty.mp4'}
    assert reasons['run/empty.mp4'] == 'empty'
    assert "its class 'once' has one group only" in reasons['once/e.mp4']
    assert '5 left out' in told
    assert (tmp_path / 'out/classes.txt').read_text() == 'run\nsit\n'


def test_recording_is_never_on_both_sides(videos, tmp_path):
    folder = videos(*(f'{label}/{label}_g{g:02}_c{c}.avi' for label in ('a', 'b') for g in range(8) for c in range(3)))
    make_lists(folder, tmp_path / 'out', group='_(g[0-9]+)_', split=[0.6, 0.2])
    parts = [{file.split('_')[1] for file, _ in part} for part in lists(tmp_path / 'out', 'train', 'val', 'test')]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts)) == 8
    with pytest.raises(ValueError, match=r'48 of 48 files, such as .*, have no group by regular expression person'):
        make_lists(folder, tmp_path / 'out', group='person')


def test_folds_test_every_video_once(videos, tmp_path):
    folder = videos(*(f'{label}/{n}.mp4' for label in 'abc' for n in range(6)))
    out = tmp_path / 'out'
    make_lists(folder, out, folds=5)
    tested = []
    for fold in range(1, 6):
        train, val = lists(out, f'train_fold{fold}', f'val_fold{fold}')
        assert len(set(train) | set(val)) == len(train) + len(val) == 18
        tested += val
    assert len(set(tested)) == len(tested) == 18
    init_default_scope('mmaction')
    dataset = VideoListDataset(
        str(out / 'val_fold{fold}.txt'), fold=2, pipeline=[], data_prefix=dict(video=str(folder))
    )
    assert dataset.ann_file == str(out / 'val_fold2.txt')


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('t.csv', 'sub/a.mp4,run\nb.mp4,sit\nc,run\nd.mp4,sit\ngone.mp4,run\n'),
        ('t.csv', 'who,Video,label\n1,a,run\n1,b.mp4,sit\n2,c.mp4,run\n2,d.mp4,sit\n3,gone.mp4,run\n'),
        ('t.json', '{"a.mp4": "run", "b": "sit", "c.mp4": "run", "d.mp4": "sit", "gone": "run"}'),
        ('t.json', json.dumps([dict(path=f, label='sit' if f in 'bd' else 'run') for f in [*'abcd', 'gone']])),
    ],
)  # fmt: skip
def test_table_of_names_and_labels(videos, tmp_path, name, text):
    folder = videos('sub/a.mp4', 'b.mp4', 'c.mp4', 'd.mp4')
    (tmp_path / name).write_text(text)
    make_lists(tmp_path / name, tmp_path / 'out', videos=folder)
    train, val = lists(tmp_path / 'out', 'train', 'val')
    assert sorted(train + val) == [('b.mp4', 1), ('c.mp4', 0), ('d.mp4', 1), ('sub/a.mp4', 0)]
    (left_out,) = json.loads((tmp_path / 'out/lists.json').read_text())['left_out']
    assert left_out['file'].startswith('gone')
    assert 'not in' in left_out['reason']


def test_segments_of_a_video_stay_on_one_side_and_numbers_keep_their_order(videos, tmp_path):
    folder = videos(*(f'{n}.mp4' for n in range(6)))
    rows = [f'{n}.mp4,{label},{start},{start + 1.5}' for n in range(6) for start, label in ((0, 10), (2, 9), (4, 10))]
    (tmp_path / 't.csv').write_text('file,label,start,end\n' + '\n'.join(rows))
    make_lists(tmp_path / 't.csv', tmp_path / 'out', videos=folder)
    train, val = (read_list(str(tmp_path / f'out/{name}.txt'), segments=True) for name in ('train', 'val'))
    assert not {sample.file for sample in train} & {sample.file for sample in val}
    assert len(train) + len(val) == 18
    assert (tmp_path / 'out/classes.txt').read_text() == '9\n10\n'


def test_split_that_is_given_is_kept_and_its_leaks_are_named(videos, tmp_path):
    folder = videos('train/run/a_1.mp4', 'train/sit/b_1.mp4', 'validation/run/a_2.mp4', 'validation/sit/c_1.mp4')
    told = '\n'.join(make_lists(folder, tmp_path / 'out', group='/([a-z])_'))
    assert lists(tmp_path / 'out', 'val') == [[('validation/run/a_2.mp4', 0), ('validation/sit/c_1.mp4', 1)]]
    assert 'warning: groups on both sides of the split: a' in told
    with pytest.raises(ValueError, match='is already split'):
        make_lists(folder, tmp_path / 'out', split=[0.5])
    videos('notes/d.mp4')
    with pytest.raises(ValueError, match=r"folders of a split \(train, val\) beside others such as 'notes'"):
        make_lists(folder, tmp_path / 'out')


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        ('file,label\na,run\na,sit\n', r"line 3: 'a' is 'sit' here but 'run' above"),
        ('file,label\nsame,run\n', r"line 2: 'same' matches .*x/same\.mp4"),
        ('file,label,start,end\na,run,3,2\n', r'line 2: the segment from 3 to 2 s does not end after it starts'),
        ('file,label\na,\n', r'line 2, the label: .* is not a name'),
        ('a,run,1\n', r'line 1: 3 cells'),
    ],
)
def test_table_that_contradicts_itself_is_refused_with_its_line(videos, tmp_path, text, error):
    folder = videos('a.mp4', 'x/same.mp4', 'y/same.mp4')
    (tmp_path / 't.csv').write_text(text)
    with pytest.raises(ValueError, match=error):
        make_lists(tmp_path / 't.csv', tmp_path / 'out', videos=folder)


def test_columns_that_are_not_used_are_named(videos, tmp_path):
    folder = videos(*(f'{number}.mp4' for number in range(4)))
    rows = ''.join(f'{number},jump,1.5,p{number}\n' for number in range(4))
    (tmp_path / 't.csv').write_text(f'path,label,start_time,person\n{rows}')
    summary = make_lists(tmp_path / 't.csv', tmp_path / 'out', videos=folder, group='person')
    assert 'columns that are not used: start_time' in summary


def test_alike_classes_are_asked_about(videos, tmp_path):
    folder = videos(*(f'{label}/{n}.mp4' for label in ('Sit down', 'sit_down') for n in range(2)))
    assert "warning: are 'Sit down' and 'sit_down' the same class?" in make_lists(folder, tmp_path / 'out')


@pytest.mark.parametrize('name', [' a.mp4', 'a 1.0 2.0', 'a 3', 'a,3', 'frames 2 3'])
def test_name_that_a_list_would_change_is_not_written(name):
    with pytest.raises(ValueError, match='cannot stand in a list of videos'):
        list_line(name, 0)


def test_names_of_classes_are_found_beside_the_list_of_embeddings(tmp_path):
    import numpy as np

    from twlv_mm.embeddings import write_embeddings

    folder = tmp_path / 'val'
    for name in 'ab':
        write_embeddings(str(folder), name, np.ones((1, 4), np.float32), np.array([[0.0, 1.0]]), dict(duration=1.0))
    (tmp_path / 'val.txt').write_text('a.mp4 0\nb.mp4 1\n')
    (tmp_path / 'classes.txt').write_text('run\nsit\n')
    assert load_vectors(str(folder), ann_file=str(tmp_path / 'val.txt')).classes == ['run', 'sit']
    assert LabelledEmbeddings(str(folder), 'video', str(tmp_path / 'val.txt')).metainfo['classes'] == ['run', 'sit']


def test_command_ends_with_one_line_and_code_2_where_nothing_can_be_written(tmp_path, capsys):
    assert run_tool('make_lists.py', tmp_path, '--out', tmp_path / 'out') == 2
    assert capsys.readouterr().err.strip() == f'error: {tmp_path} has no labelled video'
