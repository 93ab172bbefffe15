"""Annotations: what is read from each format, what is put right and said, and what is refused."""

import json

import numpy as np
import pytest

from twlv_mm.localization.annotations import read_annotations
from twlv_mm.synthetic.annotations import write_thumos


def action(label, start, end, **more):
    return dict(label=label, segment=[start, end], **more)


def write(folder, content):
    path = folder / 'actions.json'
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def video(*actions, **more):
    return dict(dict(duration=60.0, subset='train', annotations=list(actions)), **more)


def test_thumos_labels_are_its_label_ids_and_subsets_go_by_name(tmp_path):
    path = tmp_path / 'thumos.json'
    videos = [
        dict(video='a', split='train', num_frames=80, actions=[('wave', 8, 16), ('jump', 20, 30)]),
        dict(video='b', split='test', num_frames=160, actions=[('jump', 40, 60)]),
    ]
    write_thumos(path, videos, ['wave', 'jump'], fps=8)
    test = read_annotations(path, 'test')
    assert test.classes == ('wave', 'jump')  # not sorted, and known although the test has no wave
    assert list(test.videos) == ['b']
    assert test.videos['b'].duration == 20.0
    assert test.videos['b'].subset == 'Test'
    np.testing.assert_array_equal(test.videos['b'].segments, [[5.0, 7.5]])
    np.testing.assert_array_equal(test.videos['b'].labels, [1])
    assert list(read_annotations(path, 'VALIDATION').videos) == ['a']
    assert list(read_annotations(path).videos) == ['a', 'b']
    assert test.notes == []


def test_activitynet_labels_are_sorted_names(tmp_path):
    database = {
        'x': video(action('Zumba', 0.5, 3), subset='training'),
        'y': video(action('Archery', 1, 2), action('Zumba', 3, 4), subset='validation'),
        'z': video(subset='testing'),
    }
    path = write(tmp_path, dict(version='VERSION 1.3', taxonomy=[], database=database))
    annotations = read_annotations(path, 'validation')
    assert annotations.classes == ('Archery', 'Zumba')
    np.testing.assert_array_equal(annotations.videos['y'].labels, [0, 1])
    empty = read_annotations(path, 'testing').videos['z']  # a video without actions is kept
    assert empty.segments.shape == (0, 2)
    assert empty.labels.shape == (0,)


@pytest.mark.parametrize('as_list', [False, True])
def test_own_data_needs_no_database_duration_or_subset(tmp_path, as_list):
    content = {'match_01': dict(annotations=[action('serve', 1.5, 2)]), 'match_02': video(action('return', 3, 4))}
    if as_list:
        content = [dict(entry, video_id=video_id) for video_id, entry in content.items()]
    annotations = read_annotations(write(tmp_path, content))
    assert annotations.classes == ('return', 'serve')
    assert annotations.videos['match_01'].duration is None
    assert annotations.videos['match_01'].segments.dtype == np.float64
    np.testing.assert_array_equal(annotations.videos['match_01'].labels, [1])
    assert annotations.videos['match_02'].duration == 60


def test_names_given_decide_the_labels(tmp_path):
    path = write(tmp_path, {'v': video(action('b', 1, 2, label_id=0), action('a', 1, 2, label_id=1))})
    names = tmp_path / 'classes.txt'
    names.write_text('a\nunseen one\nb\n\n')
    for classes in (['a', 'unseen one', 'b'], names, str(names)):
        annotations = read_annotations(path, classes=classes)
        assert annotations.classes == ('a', 'unseen one', 'b')
        np.testing.assert_array_equal(annotations.videos['v'].labels, [2, 0])
        assert any('label_id of 2 classes' in note for note in annotations.notes)
    with pytest.raises(FileNotFoundError, match='class name file .* does not exist'):
        read_annotations(path, classes=str(tmp_path / 'other.txt'))
    with pytest.raises(ValueError, match="'a' at position 1 and again at position 3"):
        read_annotations(path, classes=['a', 'b', 'a'])


def test_labels_that_differ_in_case_or_spaces_only_are_noted(tmp_path):
    path = write(tmp_path, dict(a=video(action('serve', 1, 2), action('Serve ', 3, 4), action('rally', 5, 6))))
    assert read_annotations(path).notes == [f"{path}: are 'Serve ' and 'serve' the same class?"]


def test_actions_without_length_are_left_out_and_counted(tmp_path):
    # As in ActivityNet-1.3's own file.
    long_jump = [action('Long jump', 0.02, 3.1), action('Long jump', 0, 0)]
    database = {'ZZVrH3Hv1fM': video(*long_jump, subset='training'), 'y': video(action('Zumba', 0, 1))}
    path = write(tmp_path, dict(version='VERSION 1.3', taxonomy=[], database=database))
    annotations = read_annotations(path)
    np.testing.assert_array_equal(annotations.videos['ZZVrH3Hv1fM'].segments, [[0.02, 3.1]])
    assert [note.split(': ', 1)[1] for note in annotations.notes] == [
        '1 actions of 1 videos (ZZVrH3Hv1fM) have no length and are left out.'
    ]


def test_late_actions_are_counted_and_stay_as_the_published_evaluation_has_them(tmp_path):
    path = write(tmp_path, {'v': video(action('a', 50, 61), action('a', 70, 80)), 'w': video(action('a', 1, 60))})
    annotations = read_annotations(path)
    np.testing.assert_array_equal(annotations.videos['v'].segments, [[50, 61], [70, 80]])
    assert [note.split(': ', 1)[1] for note in annotations.notes] == [
        '2 actions of 1 videos (v) end after their video; tests count them, training cuts them or leaves them out.'
    ]


def test_repetitions_and_ambiguous_moments_are_left_out_and_counted(tmp_path):
    actions = [action('a', 1, 2), action('a', 1.0005, 2), action('b', 1, 2), action('a', 1, 2.1)]
    path = write(tmp_path, {'v': video(*actions, action('Ambiguous', 5, 6))})
    annotations = read_annotations(path)
    assert annotations.classes == ('a', 'b')
    np.testing.assert_array_equal(annotations.videos['v'].segments, [[1, 2], [1, 2], [1, 2.1]])
    assert [note.split(') ')[1] for note in annotations.notes] == [
        'are repeated and count once.',
        "are 'Ambiguous' and are left out.",
    ]
    wanted = read_annotations(path, classes=['a', 'b', 'Ambiguous'])
    assert wanted.videos['v'].labels.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"database": {', r'actions\.json is not valid json'),
        ({'a': [1, 2]}, r'none of the known formats'),
        ([dict(annotations=[])], 'the video_id of entry 1: None is not a name'),
        ({}, 'none of the known formats'),
        ({'v': dict(annotations=[dict(label='a')])}, 'none of the known formats'),
        ({'u': dict(annotations=[]), 'v': dict(anotations=[])}, "It has another entry for 'v'"),
        ([dict(annotations=[], video_id='u'), dict(annotations=[], video='v')], 'video_id of entry 2: None is not'),
        ([dict(video(), video_id='v')] * 2, "several videos 'v'"),
        ({'v': video()}, 'has no actions'),
        ({'v': video(action('a', 3, 2))}, r"v has 'a' from 3 to 2 s"),
        ({'v': video(action('a', -1, 3))}, r"v, a segment of 'a': -1 is not a time"),
        ('{"v": {"annotations": [{"label": "a", "segment": [NaN, 3]}]}}', 'is not valid json: NaN is not'),
        ({'v': video(dict(label='a', segment=['0', '1']))}, r"v, a segment of 'a': '0' is not a time"),
        ({'v': video(dict(label='a', segment='01'))}, r"v has 'a' at '01'"),
        ({'v': video(action('a', 1, True))}, 'True is not a time'),
        ({'v': video(action('a', 1, 1e9))}, 'is not a time in seconds from 0 to 1,000,000'),
        ({'v': video(action('', 1, 2))}, "v, a label: '' is not a name"),
        ({'v': video(action('\ud800', 1, 2))}, 'lone surrogate'),
        ({'': video(action('a', 1, 2))}, "the id of a video: '' is not a name"),
        ('{"v": {"annotations": []}, "v": {"annotations": []}}', "duplicate key 'v'"),
        ({'v': video(action('a', 1, 2), subset=['x'])}, 'v, its subset: .* is not a str'),
        ({'v': video(action('a', 1, 2), duration=-3)}, 'v, its duration: -3 is not a time'),
        ({'v': video(action('a', 1, 2, label_id=0), action('a', 3, 4, label_id=1))}, r"'a' has 2 label_id"),
        ({'v': video(action('a', 1, 2, label_id=0), action('b', 3, 4, label_id=0))}, 'the same label_id 0'),
        ({'v': video(action('a', 1, 2, label_id=0), action('b', 3, 4))}, r"'b' has 0 label_id"),
        ({'v': video(action('a', 1, 2, label_id=0), action('b', 3, 4, label_id=2))}, 'but none with 1: give classes'),
        ({'v': video(action('a', 1, 2, label_id='0'))}, "v, a label_id: '0' is not a whole number"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_annotations(write(tmp_path, content))


def test_unknown_labels_and_subsets_are_refused(tmp_path):
    path = write(tmp_path, {'v': video(action('serve', 1, 2)), 'w': video(subset='Test')})
    with pytest.raises(ValueError, match=r"v has the label 'serve', which is not among the 1 classes"):
        read_annotations(path, classes=['return'])
    with pytest.raises(ValueError, match=r"no video of the subset 'val'; there are 'Test', 'train'"):
        read_annotations(path, 'val')
    path = write(tmp_path, {'v': dict(annotations=[action('serve', 1, 2)])})
    with pytest.raises(ValueError, match='leave subset out'):
        read_annotations(path, 'train')
    with pytest.raises(FileNotFoundError, match='annotation file .* does not exist'):
        read_annotations(tmp_path / 'none.json')
