"""AVA's files are read as they come, and what is wrong in them is said with its line."""

import numpy as np
import pytest

from twlv_mm.detection.ava_annotations import read_action_names, read_ava_csv, read_excluded


def write(path, text):
    path.write_text(text)
    return path


def test_rows_of_all_widths_are_read(tmp_path):
    text = '\ufeffa,0902,0.1,0.2,0.3,0.4,12,7\nb.c,902.5,0.077,0,1,1,80\n\nb.c,0903,0.1,0.2,0.3,0.4,,\nb.c,0904\r\n\n'
    rows = read_ava_csv(write(tmp_path / 'boxes.csv', text))
    assert rows.videos == ['a', 'b.c', 'b.c', 'b.c']
    assert rows.timestamps.tolist() == [902, 902.5, 903, 904]
    boxes = [[0.1, 0.2, 0.3, 0.4], [0.077, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [np.nan] * 4]
    np.testing.assert_array_equal(rows.boxes, np.array(boxes, np.float32))
    assert rows.actions.tolist() == [12, 80, -1, -1]
    assert rows.persons.tolist() == [7, -1, -1, -1]


def test_rows_of_a_large_file_come_in_its_order(tmp_path):
    lines = (f'v{number // 1000},{902 + number % 1000},0,0,1,1,{number % 80 + 1},0\n' for number in range(45_000))
    rows = read_ava_csv(write(tmp_path / 'boxes.csv', ''.join(lines)))
    assert rows.videos[39_999:40_001] == ['v39', 'v40']
    np.testing.assert_array_equal(rows.actions, np.arange(45_000) % 80 + 1)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', r'boxes\.csv has no rows'),
        ('a,902\n\na,902,0.1\n', r'boxes\.csv has 3 columns in line 3; annotations have 2 or 6 or 7 or 8'),
        ('a,902\n\na,902,0,0,1,x,1,1\n', r"boxes\.csv, line 3, the y2: 'x' is not a number"),
        ('video,timestamp\n', r"line 1, the time stamp: 'timestamp' is not a number"),
        ('a,902\na,\n', r'boxes\.csv has no time stamp in line 2'),
        ('a,902\na,inf,0,0,1,1,1,1\n', r"line 2, the time stamp: 'inf' is not a number"),
        ('a,902\na,902,nan,0,1,1,1,1\n', r"line 2, the x1: 'nan' is not a number"),
        ('a,902\na,٣,0,0,1,1,1,1\n', r'line 2, the time stamp: .* is not a number'),
        ('a,902\na,1_000,0,0,1,1,1,1\n', r"line 2, the time stamp: '1_000' is not a number"),
        ('a,902\na,-3,0,0,1,1,1,1\n', r'line 2, the time stamp: -3.0 is not a finite number from 0 to'),
        ('a,902\na,902,0,0,1,1e308,1,1\n', r'line 2, the y2: 1e\+308 is not a finite number'),
        ('a,902\na,902,0,0,1,1,-9223372036854775808,1\n', r'line 2, the action: .* is not a finite number from -1'),
        ('a,902\n,902,0,0,1,1,1,1\n', r"line 2, the video: '' is not a name"),
        ('a,902\na,902,0,,1,1,1,1\n', r'boxes\.csv has a part of a box in line 2'),
        ('a,902,,,,1,1,1\n', r'boxes\.csv has a part of a box in line 1'),
        ('a,902\na,902,,,,,1,1\n', r'boxes\.csv has an action without a box in line 2'),
        ('a,902\na,902,0,0,1,1,1.5,1\n', r'boxes\.csv has an action that is not a whole number in line 2'),
        ('a,902\na,902,0,0,1,1,1,0.5\n', r'boxes\.csv has a person that is not a whole number in line 2'),
    ],
)
def test_wrong_rows_are_reported_with_their_line(text, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_ava_csv(write(tmp_path / 'boxes.csv', text))


def test_excluded_time_stamps_are_keys_of_keyframes(tmp_path):
    assert read_excluded(write(tmp_path / 'out.csv', 'a,0902\n\nb,903.25\n')) == {('a', 902_000), ('b', 903_250)}
    assert read_excluded(write(tmp_path / 'out.csv', '')) == set()
    with pytest.raises(ValueError, match=r'out\.csv has 3 columns in line 1; excluded time stamps have 2'):
        read_excluded(write(tmp_path / 'out.csv', 'a,902,1\n'))


def test_both_kinds_of_label_lists_are_read(tmp_path):
    old = 'label {\n  name: "walk"\n  label_id: 14\n  label_type: PERSON_MOVEMENT\n}\n'
    new = 'item {\n  name: "watch (e.g., \'TV\')"\n  id: 80\n}\nitem {\n  name: "sit"\n  id: 11\n}\n'
    assert read_action_names(write(tmp_path / 'names.pbtxt', old)) == {14: 'walk'}
    names = read_action_names(write(tmp_path / 'names.pbtxt', new))
    assert list(names.items()) == [(11, 'sit'), (80, "watch (e.g., 'TV')")]
    one_line = 'item { name: "jump" id: 1 }\nitem { name: "read (id: 7)" id: 3 }\n'
    assert read_action_names(write(tmp_path / 'names.pbtxt', one_line)) == {1: 'jump', 3: 'read (id: 7)'}
    for text, message in (
        ('walk\nsit\n', 'has 0 ids and 0 names of actions'),
        (new.replace('  id: 80\n', ''), 'has 1 ids and 2 names'),
        (new.replace('80', '11'), r'has the ids \[11, 11\]: they must differ'),
        (new.replace('80', '0'), r'has the ids \[0, 11\]: they must differ and start at 1'),
    ):
        with pytest.raises(ValueError, match=message):
            read_action_names(write(tmp_path / 'names.pbtxt', text))


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'file of annotations .*gone\.csv does not exist'):
        read_ava_csv(tmp_path / 'gone.csv')
    with pytest.raises(FileNotFoundError, match=r'file of names of the actions .*gone\.pbtxt does not exist'):
        read_action_names(tmp_path / 'gone.pbtxt')
