"""Names of classes: given, from a file, or numbers."""

import pytest

from twlv_mm.records import class_names, names_beside, read_class_names


def test_names_are_those_of_the_list_or_the_lines_of_the_file(tmp_path):
    path = tmp_path / 'names.txt'
    path.write_bytes('jump, high\r\n  sauté \r\n\r\n'.encode())  # Windows' line ends, an empty line at the end
    for classes in (path, str(path), ['jump, high', 'sauté'], ('jump, high', 'sauté')):
        assert read_class_names(classes) == ['jump, high', 'sauté']
        assert class_names(classes, 2) == ['jump, high', 'sauté']


def test_classes_without_names_are_numbered():
    assert class_names(None, 3) == ['0', '1', '2']


def test_names_that_are_more_or_fewer_than_the_classes_are_refused():
    with pytest.raises(ValueError, match='there are 2 class names, but the model has 3 classes'):
        class_names(['run', 'sit'], 3)


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['run', '', 'sit'], 'has no name at {} 2'),
        ([], 'has no name at {} 1'),
        (['run', 'sit', 'run'], "has 'run' at {0} 1 and again at {0} 3"),
    ],
)
def test_every_class_needs_a_name_of_its_own(tmp_path, names, message):
    path = tmp_path / 'names.txt'
    path.write_text('\n'.join(names))
    with pytest.raises(ValueError, match=r'names\.txt ' + message.format('line')):
        read_class_names(path)
    with pytest.raises(ValueError, match='list of class names ' + message.format('position')):
        read_class_names(names)


def test_missing_file_of_names_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'class name file .*missing\.txt does not exist'):
        read_class_names(tmp_path / 'missing.txt')


def test_names_beside_a_file_are_those_of_its_folder_and_no_link_leads_elsewhere(tmp_path):
    (tmp_path / 'lists').mkdir()
    assert names_beside(tmp_path / 'lists/train.txt') is None
    (tmp_path / 'secret').write_text('root:x:0:0\n')
    (tmp_path / 'lists/classes.txt').symlink_to(tmp_path / 'secret')
    with pytest.raises(ValueError, match=r'classes\.txt.* leads out of .*lists, by a link'):
        names_beside(tmp_path / 'lists/train.txt')
    (tmp_path / 'lists/classes.txt').unlink()
    (tmp_path / 'lists/classes.txt').write_text('run\nsit\n')
    assert names_beside(tmp_path / 'lists/train.txt') == names_beside(tmp_path / 'lists') == ['run', 'sit']


def test_lists_of_other_labels_have_other_names(tmp_path):
    for name in ('classes', 'classes_motion', 'classes_look'):
        (tmp_path / f'{name}.txt').write_text(f'{name} a\n{name} b\n')
    assert names_beside(tmp_path / 'test_motion.txt') == ['classes_motion a', 'classes_motion b']
    assert names_beside(tmp_path / 'my_test_look.csv') == ['classes_look a', 'classes_look b']
    assert names_beside(tmp_path / 'test.txt') == names_beside(tmp_path) == ['classes a', 'classes b']
    assert names_beside(tmp_path / 'test_2.txt') == ['classes a', 'classes b']
