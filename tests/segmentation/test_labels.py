"""Label files, classes and folds: the real ones, and what is wrong with others."""

import numpy as np
import pytest

from twlv_mm.segmentation.labels import check_folds, read_labels, read_mapping, read_split

from .label_files import needs_shared, unpack, write_labels

VIDEOS = dict(a=['pour'] * 3 + ['stir'] * 2, b=['background'])


@pytest.fixture
def root(tmp_path):
    """Two videos and two folds."""
    return write_labels(tmp_path, VIDEOS, train1=['a'], test1=['b'], train2=['b'], test2=['a'])


@needs_shared
@pytest.mark.parametrize(
    ('name', 'num_classes', 'folds', 'videos', 'frames'),
    [('GTEA', 11, 4, 28, 31225), ('50Salads', 19, 5, 50, 577595)],
)
def test_real_data_sets_are_read_whole(tmp_path, name, num_classes, folds, videos, frames):
    root = unpack(name, tmp_path)
    classes = read_mapping(root)
    assert len(classes) == num_classes
    assert check_folds(root) == (list(range(1, folds + 1)), [])
    ids = read_split(root, 'train', 2) + read_split(root, 'test', 2)
    labels = [read_labels(root, video_id, classes) for video_id in ids]
    assert (len(ids), sum(map(len, labels))) == (videos, frames)
    assert set(np.concatenate(labels)) == set(range(num_classes))


@needs_shared
def test_labels_are_those_of_the_file(tmp_path):
    root = unpack('GTEA', tmp_path)
    classes = read_mapping(root)
    assert (classes[0], classes[10]) == ('take', 'background')
    labels = read_labels(root, 'S2_Cheese_C1', classes)
    names = (root / 'groundTruth/S2_Cheese_C1.txt').read_text().split()
    assert [classes[label] for label in labels] == names


def test_files_of_other_editors_are_read_too(root):
    (root / 'mapping.txt').write_bytes(b'\xef\xbb\xbf2 background\r\n0 pour milk\r\n1 stir\r\n\r\n')
    classes = read_mapping(root)
    assert classes == ('pour milk', 'stir', 'background')
    (root / 'groundTruth/a.txt').write_bytes(b'pour milk\r\nstir  \r\n\r\n\r\n')
    assert read_labels(root, 'a', classes).tolist() == [0, 1]
    (root / 'splits/train.split1.bundle').write_bytes(b'\r\n  a\r\n\r\nc.txt\r\n')
    assert read_split(root, 'train', 1) == ['a', 'c']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', r'mapping\.txt is empty'),
        ('0 pour\nstir\n', r"mapping\.txt, line 2, .*: 'stir' is not a whole number"),
        ('0 pour\n1\n', "line 2, .*: '' is not a name"),
        ('0 pour\n\n1 stir\n', "line 2, .*: '' is not a whole number"),
        ('-1 pour\n', "line 1, .*: '-1' is not a whole number"),
        ('0 pour\n0 stir\n', "line 2: '0 stir' repeats a label or a name"),
        ('0 pour\n1 pour\n', "line 2: '1 pour' repeats a label or a name"),
        ('1 pour\n2 stir\n', 'has 2 classes with labels from 1 to 2: number them from 0 to 1'),
        ('٣ pour\n', 'line 1, .* is not a whole number'),
        ('1_0 pour\n', 'line 1, .* is not a whole number'),
        (b'0 \xff\xfe', r'mapping\.txt, line 1: not UTF-8 text'),
    ],
)
def test_malformed_mapping_is_refused_with_its_line(root, content, message):
    (root / 'mapping.txt').write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        read_mapping(root)


def test_unknown_label_is_refused_with_its_line(root):
    classes = read_mapping(root)
    (root / 'groundTruth/a.txt').write_text('pour\n stir\nStir\nbackground\n')
    with pytest.raises(ValueError, match=r"a\.txt, line 3: 'Stir' is not among the 3 classes"):
        read_labels(root, 'a', classes)
    (root / 'groundTruth/a.txt').write_text('pour\n\nstir\n')
    with pytest.raises(ValueError, match="line 2: '' is not among"):
        read_labels(root, 'a', classes)
    (root / 'groundTruth/a.txt').write_text('\n\n')
    with pytest.raises(ValueError, match=r'a\.txt is empty'):
        read_labels(root, 'a', classes)


def test_missing_files_are_named_with_what_is_there(root):
    with pytest.raises(FileNotFoundError, match=r'test\.split3\.bundle does not exist: set fold .* \(test: 1, 2\)'):
        read_split(root, 'test', 3)
    with pytest.raises(ValueError, match="unknown split 'val'; choose from 'train', 'test'"):
        read_split(root, 'val', 1)
    with pytest.raises(FileNotFoundError, match=r'c\.txt does not exist: set data_root'):
        read_labels(root, 'c', read_mapping(root))
    (root / 'mapping.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'mapping\.txt does not exist: set data_root'):
        read_mapping(root)


def test_bundles_that_are_empty_or_list_a_video_twice_are_refused(root):
    path = root / 'splits/train.split1.bundle'
    path.write_text('\n\n')
    with pytest.raises(ValueError, match=r'train\.split1\.bundle is empty'):
        read_split(root, 'train', 1)
    path.write_text('a.txt\n\na\n')
    with pytest.raises(ValueError, match=r'train\.split1\.bundle, line 3: a is listed already in line 1'):
        read_split(root, 'train', 1)
    path.write_text('a.txt\nb.txt\n')
    for split in ('train', 'test'):
        with pytest.raises(ValueError, match=r'share 1 videos \(b\)'):
            read_split(root, split, 1)


def test_folds_that_are_not_a_cross_validation_are_refused(root, tmp_path):
    assert check_folds(root) == ([1, 2], [])
    write_labels(root, VIDEOS, train2=['a'], test2=['b'])
    with pytest.raises(ValueError, match='b is tested in fold 1 and in fold 2'):
        check_folds(root)
    (root / 'splits/test.split2.bundle').unlink()
    with pytest.raises(FileNotFoundError, match=r'test\.split2\.bundle does not exist'):
        check_folds(root)
    (root / 'splits/train.split2.bundle').unlink()
    folds, notes = check_folds(root)
    assert folds == [1]
    assert len(notes) == 1
    assert 'no fold tests 1 videos (a), which have labels' in notes[0]
    with pytest.raises(FileNotFoundError, match='no fold in'):
        check_folds(tmp_path / 'elsewhere')
