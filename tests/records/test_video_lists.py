"""Lists of videos: each form is read rightly, or refused with its line; the same for extraction and training."""

import pytest

from twlv_mm.embeddings import find_videos
from twlv_mm.recognition.datasets import read_list
from twlv_mm.records import read_video_list

EXPECTED = [('a.mp4', 3), ('sub/two  spaces and 2.mp4', 0)]
FORMS = {
    'plain.txt': b'a.mp4 3\nsub/two  spaces and 2.mp4 0\n',
    'mark.txt': b'\xef\xbb\xbfa.mp4 3\nsub/two  spaces and 2.mp4 0\n',
    'windows.txt': b'a.mp4 3\r\n\r\nsub/two  spaces and 2.mp4  0\r\n',
    'tab.txt': b'a.mp4\t3\nsub/two  spaces and 2.mp4\t0\n',
    'vjepa.csv': b'a.mp4 3\nsub/two  spaces and 2.mp4 0\n',
    'comma.csv': b'a.mp4,3\nsub/two  spaces and 2.mp4,0\n',
    'comma.txt': b'a.mp4,3\nsub/two  spaces and 2.mp4,0\n',
    'header.csv': b'\xef\xbb\xbfpath,label\r\na.mp4,3\r\n"sub/two  spaces and 2.mp4",0\r\n',
}


@pytest.mark.parametrize('name', FORMS)
def test_form_is_read_the_same_in_extraction_and_training(name, tmp_path):
    (tmp_path / name).write_bytes(FORMS[name])
    assert [(sample.file, sample.label) for sample in read_list(tmp_path / name)] == EXPECTED
    videos = find_videos(tmp_path / name)
    assert [(video.path, video.annotation) for video in videos] == [(f'{tmp_path}/{f}', n) for f, n in EXPECTED]


@pytest.mark.parametrize(
    ('name', 'text', 'error'),
    [
        ('list.csv', 'path,label\na.mp4,cat\n', r"line 2: 'a\.mp4,cat' is not of the form 'file,label'"),
        ('list.csv', 'a.mp4,1\nb.mp4 1\n', r'line 2'),
        ('list.csv', 'a.mp4 1\nb.mp4,1\n', r'line 2'),
        ('list.txt', 'a.mp4 1\n\nb.mp4 cat\n', r"line 3: 'b\.mp4 cat' is not of the form 'file label'"),
        ('list.txt', 'a.mp4 1\na\tb.mp4 1\n', r"line 2, file: 'a\\tb\.mp4' is not a name"),
        ('list.txt', 'a.mp4 -1\n', 'line 1: label -1 is negative'),
        ('list.txt', 'some/frames 120 3\n', 'line 1: .* several numbers after a name without extension'),
        ('list.txt', 'a.mp4 2.5 1.5 0\n', 'line 1: .* (has no valid|is a) segment'),
    ],
)
def test_other_form_is_refused_with_its_line(name, text, error, tmp_path):
    (tmp_path / name).write_text(text)
    for read in (read_video_list, read_list, find_videos):
        with pytest.raises(ValueError, match=error):
            read(tmp_path / name)


def test_times_without_a_point_are_no_classes_in_a_list_of_segments(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('a.mp4 1.5 2.5 0\nb.mp4 2 3\n')
    with pytest.raises(ValueError, match=r"line 2: 'b\.mp4 2 3' has numbers without a decimal point"):
        find_videos(path)
    path.write_text('a.mp4 1.5 2.5 0\nb.mp4 2\nb.mp4 3\n')
    assert [video.classes for video in read_video_list(path)] == [(0,), (2,), (3,)]
