"""Keyframes come from AVA's files as they are meant, and what is missing is said."""

import json
import pickle
import shutil

import numpy as np
import pytest
from mmaction.datasets import AVADataset

from tests.detection.ava_files import build, row, write_set
from twlv_mm.detection.ava_dataset import AVAVideoDataset
from twlv_mm.synthetic import make_boxes

from ..payload import Call

BOX = [0.1, 0.2, 0.5, 0.75]
PROPOSALS = {
    'a,0902': [[*BOX, 0.99], [0, 0, 0.2, 0.2, 0.95], [0, 0, 1, 1, 0.3]],
    'a,0905': [[*BOX, 0.4], [0, 0, 0.2, 0.2, 0.3]],
    'b,0902': [[*BOX, 0.9]],
    'b,0905': [[*BOX, 0.9]],
}


@pytest.fixture(scope='module')
def generated(tmp_path_factory):
    """Three generated clips with all their files."""
    folder = tmp_path_factory.mktemp('ava') / 'boxes'
    make_boxes(folder, seed=2, num_clips=3, workers=1)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_set(tmp_path, proposals=PROPOSALS)


def test_items_are_those_of_mmaction2_and_name_a_file_that_is_there(generated):
    files = dict(
        ann_file=str(generated / 'ava_train.csv'),
        exclude_file=str(generated / 'ava_train_excluded_timestamps.csv'),
        label_file=str(generated / 'ava_action_list.pbtxt'),
        proposal_file=str(generated / 'ava_dense_proposals_train.pkl'),
        data_prefix=dict(img=str(generated / 'videos')),
        pipeline=[],
    )
    theirs = AVADataset(**files, num_classes=17, use_frames=False)
    ours = AVAVideoDataset(**files, num_classes=17)
    assert len(ours) == len(theirs) > 10
    for our, their in zip(ours, theirs, strict=True):
        assert our['filename'] == f'{their["filename"]}.mp4'
        for key in ('video_id', 'timestamp', 'img_key'):
            assert our[key] == their[key]
        for key in ('gt_bboxes', 'gt_labels', 'entity_ids', 'proposals', 'scores'):
            np.testing.assert_array_equal(our[key], np.asarray(their[key], our[key].dtype))


def test_columns_are_ids_and_actions_that_the_list_does_not_have_are_left_out(tmp_path):
    rows = [row('a', 902, 3), row('a', 902, 2), row('a', 905, 2), row('a', 906, 80), row('a', 906, 4), row('a', 906, 1)]
    dataset = build(write_set(tmp_path, rows, videos=['a.mp4']))
    assert dataset.num_classes == 5
    assert dataset.metainfo['classes'] == ('', 'stand', '', 'sit', 'read')
    assert [(item['timestamp'], item['gt_labels'].tolist()) for item in dataset] == [
        (902, [[0, 0, 0, 1, 0]]),
        (906, [[0, 1, 0, 0, 1]]),
    ]


def test_other_number_of_classes_is_an_error_that_says_which(folder):
    assert build(folder, num_classes=5).num_classes == 5
    with pytest.raises(ValueError, match=r'num_classes is 4, .* that makes num_classes=5\..*60 of 80 actions'):
        build(folder, num_classes=4)


def test_rows_without_person_or_action_decimals_and_empty_lines_are_read(tmp_path):
    rows = ['a,2.5,0.1,0.2,0.3,0.4,1', '', 'a,0003,0.1,0.2,0.3,0.4,1', 'a,4,0.1,0.2,0.3,0.4,', 'a,0005,,,,,', '']
    items = list(build(write_set(tmp_path, rows, videos=['a.mp4']), offset_seconds=0))
    assert [(item['timestamp'], item['img_key']) for item in items] == [(2.5, 'a,2.5'), (3, 'a,0003')]
    assert items[0]['entity_ids'].tolist() == [-1]


def test_boxes_are_gathered_by_person_wherever_their_rows_are(tmp_path):
    rows = [
        'a,0902,0.5,0.2,0.9,0.4,1,7',
        'b,0902,0.1,0.2,0.3,0.4,4,1',
        'a,0902,0.1,0.2,0.3,0.4,3,8',
        'a,0902,0.3,0.3,0.3,0.4,3,9',
        'a,0902,0.5,0.2,0.9,0.4,3,7',
    ]
    first, second = build(write_set(tmp_path, rows))
    np.testing.assert_allclose(first['gt_bboxes'], [[0.5, 0.2, 0.9, 0.4], [0.1, 0.2, 0.3, 0.4]])
    assert first['gt_labels'].tolist() == [[0, 1, 0, 1, 0], [0, 0, 0, 1, 0]]
    assert first['entity_ids'].tolist() == [7, 8]  # 9 has no area
    assert second['gt_labels'].tolist() == [[0, 0, 0, 0, 1]]


def test_excluded_keyframes_are_left_out_and_leaving_out_all_is_an_error(folder):
    (folder / 'excluded.csv').write_text('a,0902\nb,905\n')
    assert [item['img_key'] for item in build(folder)] == ['a,0905', 'b,0902']
    (folder / 'excluded.csv').write_text('a,0902\nb,905\na,0905\nb,0902\n')
    with pytest.raises(ValueError, match=r'ava.csv has no keyframe with a box and an action that counts: 4 time'):
        build(folder)


def test_videos_are_found_by_id_whatever_their_extension(folder):
    videos = folder / 'videos'
    shutil.move(videos / 'a.mp4', videos / 'a.WebM')
    assert build(folder)[0]['filename'] == str(videos / 'a.WebM')
    shutil.copy(videos / 'a.WebM', videos / 'a.mkv')
    with pytest.raises(ValueError, match=r'several files of the video a: a.WebM, a.mkv; keep one'):
        build(folder)
    with pytest.raises(FileNotFoundError, match=r'folder of videos .*elsewhere does not exist: set data_prefix'):
        build(folder, data_prefix=dict(img=str(folder / 'elsewhere')))


def test_missing_video_is_an_error_when_it_is_read_or_left_out_where_that_is_wanted(folder):
    (folder / 'videos/a.mp4').unlink()
    dataset = build(folder)
    assert len(dataset) == 4
    with pytest.raises(FileNotFoundError, match=r'videos has no video a, which .*ava.csv lists: .*skip_missing'):
        dataset[0]
    assert [item['img_key'] for item in build(folder, skip_missing=True)] == ['b,0902', 'b,0905']
    (folder / 'videos/b.mp4').unlink()
    with pytest.raises(ValueError, match='skip_missing leaves no keyframe'):
        build(folder, skip_missing=True)


def test_sure_proposals_are_taken_and_the_best_where_none_is_sure(folder):
    items = list(build(folder, proposal_file=str(folder / 'proposals.json')))
    np.testing.assert_allclose(items[0]['proposals'], [BOX, [0, 0, 0.2, 0.2]])
    np.testing.assert_allclose(items[0]['scores'], [0.99, 0.95])
    np.testing.assert_allclose(items[1]['proposals'], [BOX])
    lower = build(folder, proposal_file=str(folder / 'proposals.json'), person_det_score_thr=0.3, num_max_proposals=2)
    assert [len(item['proposals']) for item in lower] == [2, 2, 1, 1]


@pytest.mark.parametrize('lost', ['missing', 'empty'])
def test_keyframe_without_proposals_is_an_error_or_left_out_where_that_is_wanted(folder, lost):
    file = folder / 'proposals.json'
    proposals = PROPOSALS | {'a,0902': []}
    if lost == 'missing':
        del proposals['a,0902']
    file.write_text(json.dumps(proposals))
    with pytest.raises(ValueError, match=r"proposals.json has no proposals of 'a,0902': run the person detector"):
        build(folder, proposal_file=str(file))[0]
    assert len(build(folder, proposal_file=str(file), skip_missing=True)) == 3


def test_pickle_payload_in_proposals_does_not_run(folder, refused):
    file, trace = folder / 'proposals.pkl', folder / 'trace'
    file.write_bytes(pickle.dumps({'a,0902': Call(open, str(trace), 'w')}))
    with pytest.raises(pickle.UnpicklingError, match=r'proposals.pkl: .*refused'):
        build(folder, proposal_file=str(file))
    assert not trace.exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('[]', 'has no proposals'),
        ('{"a": [[0, 0, 1, 1]]}', "whose keys must be '<video>,<time stamp>': '' is not a name"),
        ('{"a,inf": [[0, 0, 1, 1]]}', "whose keys must be '<video>,<time stamp>': 'inf' is not a number"),
        ('{"a,0902": [[0, 0, 1]]}', "proposals of 'a,0902': there are 3 numbers, not 4 or 5"),
        ('{"a,0902": [[0, 0, 1, true]]}', "proposals of 'a,0902': .* is not a list of lists"),
        ('{"a,0902": ', 'cannot be read as proposals'),
    ],
)
def test_proposals_of_another_form_are_named(folder, content, message):
    (folder / 'proposals.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        build(folder, proposal_file=str(folder / 'proposals.json'))


def test_tubes_without_persons_are_an_error(folder):
    (folder / 'tubes.csv').write_text('a,902.0,0.1,0.2,0.3,0.4,-1\n')
    with pytest.raises(ValueError, match='id of a person in every row, but one of a at 902 s has none'):
        build(folder, tube_file=str(folder / 'tubes.csv'))
