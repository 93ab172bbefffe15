"""Files of annotation tools become segments and boxes at the right times, with what is left out said."""

from pathlib import Path

import pytest

from twlv_mm.records.annotations import Clock, Import, Media, read_annotation_files

DATA = Path(__file__).resolve().parents[2] / 'data/annotations'
FPS = 25


def read(*paths, **known):
    context = Import(**known)
    return read_annotation_files(paths, context), '\n'.join(context.notes())


def kitchen(name):
    """A video of 4 s and 200 x 100 pixels, whose second half has half the frames a second."""
    times = [(k / 25, (k + 1) / 25) for k in range(50)] + [(2 + k / 12.5, 2 + (k + 1) / 12.5) for k in range(25)]
    return Media(name, 4.0, (200, 100), Clock(times))


def rounded(boxes):
    return [(b.label, round(b.time, 3), tuple(round(c, 3) for c in b.corners), b.track) for b in boxes]


def test_elan_annotations_are_segments():
    (video,), notes = read(DATA / 'kitchen.eaf')
    assert (video.file, video.video_id) == ('kitchen 01.mp4', 'kitchen 01')
    assert video.segments == [
        ('cut & peel', 0.78, 1.59, None),
        ('talking', 1.2, 3.0, None),  # without a value, the tier says what it is
        ('pour', 2.4, 4.035, None),
    ]
    assert '1 x an annotation without times is left out' in notes
    assert 'kitchen.eaf, line 30' in notes
    assert '1 x an annotation of a dependent tier' in notes
    (video,), _ = read(DATA / 'kitchen.eaf', label_from='actions')
    assert [one.label for one in video.segments] == ['cut & peel', 'pour']
    with pytest.raises(ValueError, match="has no tier 'x'; its tiers"):
        read(DATA / 'kitchen.eaf', label_from='x')


def test_elan_times_follow_the_origin_of_the_media(tmp_path):
    text = (DATA / 'kitchen.eaf').read_text().replace('MIME_TYPE=', 'TIME_ORIGIN="1500" MIME_TYPE=')
    (tmp_path / 'a.eaf').write_text(text)
    (video,), notes = read(tmp_path / 'a.eaf', label_from='actions')
    assert video.segments[0] == ('cut & peel', pytest.approx(2.28), pytest.approx(3.09), None)
    assert 'shifted by its TIME_ORIGIN, 1.5 s' in notes


def test_cvat_boxes_are_shares_of_the_picture_that_cvat_has_seen():
    (video,), _ = read(DATA / 'cvat_video.xml', media=lambda name: kitchen(name)._replace(size=(400, 200)))
    assert video.boxes[0].corners == pytest.approx((0.1, 0.1, 0.3, 0.9))
    assert video.size == (400, 200)


def test_cvat_tracks_are_boxes_on_a_line_between_those_that_are_listed():
    (video,), notes = read(DATA / 'cvat_video.xml', fps=FPS)
    assert (video.file, video.size) == ('street.mp4', (200, 100))
    boxes = rounded(video.boxes)
    assert [time for _, time, _, _ in boxes] == [round((frame + 0.5) / FPS, 3) for frame in range(10, 16)]
    assert boxes[0] == ('person', 0.42, (0.1, 0.1, 0.3, 0.9), '0')
    assert boxes[2] == ('person', 0.5, (0.15, 0.1, 0.35, 0.9), '0')
    assert boxes[5][2] == (0.2, 0.1, 0.4, 0.9)
    assert video.lifetimes == [('person', 10 / FPS, 16 / FPS, None)]
    assert 'a track of polygon is left out' in notes


def test_cvat_attributes_are_labels_where_asked_for():
    (video,), _ = read(DATA / 'cvat_video.xml', fps=FPS, label_from='action')
    assert [box.label for box in video.boxes] == ['walk'] * 4 + ['stand'] * 2
    assert video.lifetimes == [('walk', 0.4, 0.56, None), ('stand', 0.56, 0.64, None)]
    (video,), _ = read(DATA / 'cvat_video.xml', fps=FPS, label_from='waving')
    assert [(box.label, round(box.time, 2)) for box in video.boxes] == [('waving', 0.58), ('waving', 0.62)]


def test_cvat_images_are_frames_and_runs_of_a_tag_are_segments():
    (video,), notes = read(DATA / 'cvat_images.xml', fps=FPS)
    assert rounded(video.boxes) == [
        ('person', 0.42, (0.1, 0.1, 0.3, 0.9), None),
        ('car', 1.22, (0.5, 0.5, 1.0, 1.0), None),
    ]
    assert '1 x a box extends beyond the frame and is cut' in notes
    assert video.segments == [('rain', 0.4, 0.48, None), ('rain', 1.2, 1.24, None)]


def test_label_studio_regions_are_segments_and_boxes():
    (two, one), notes = read(DATA / 'label_studio.json', fps=FPS)
    assert (one.file, two.file) == ('kitchen_01.mp4', 'kitchen 02.mp4')
    # Frames 11 to 30, from 1 and with both ends.
    assert one.segments == [('pour', 0.4, 1.2, None), ('speech', 0.5, 1.25, None)]
    boxes = rounded(one.boxes)
    assert [time for _, time, _, _ in boxes] == [0.02, 0.06, 0.1, 0.14, 0.18, 2.02]
    assert boxes[0] == ('cup', 0.02, (0.1, 0.2, 0.4, 0.6), 'rect-1')
    assert boxes[2][2] == (0.2, 0.2, 0.5, 0.6)
    assert one.lifetimes == [('cup', 0.0, 0.2, None), ('cup', 2.0, 2.04, None)]
    assert two.segments == two.boxes == []
    assert "a region of the type 'choices' is left out" in notes


def test_via_entries_are_segments_and_boxes():
    (one, two), notes = read(DATA / 'via.json', media=kitchen)
    assert one.segments == [('cut', 0.78, 1.59, None), ('pour', 2.4, 4.035, None)]
    assert rounded(one.boxes) == [('cook', 1.5, (0.1, 0.1, 0.3, 0.9), None)]
    assert (two.file, two.segments) == ('kitchen 02.mp4', [])
    assert 'neither a temporal segment nor a rectangle' in notes


def test_frames_are_at_the_videos_own_times(tmp_path):
    text = (DATA / 'cvat_video.xml').read_text()
    for frame in (10, 14, 15, 16):
        text = text.replace(f'frame="{frame}"', f'frame="{frame + 45}"')
    (tmp_path / 'a.xml').write_text(text)
    (video,), _ = read(tmp_path / 'a.xml', media=kitchen)
    assert video.lifetimes == [('person', pytest.approx(2.4), pytest.approx(2.88), None)]
    (tmp_path / 'a.xml').write_text(text.replace('frame="60"', 'frame="80"').replace('frame="61"', 'frame="81"'))
    with pytest.raises(ValueError, match=r'a\.xml, line .*frame 75 is not in the video, which has 75'):
        read(tmp_path / 'a.xml', media=kitchen)


def test_label_studio_numbers_frames_at_its_own_rate_whatever_the_video_has(tmp_path):
    (_, one), _ = read(DATA / 'label_studio.json', media=kitchen)  # framesCount / duration of the rectangle: 25
    assert one.segments[0] == ('pour', 0.4, 1.2, None)
    text = (DATA / 'label_studio.json').read_text().replace('"framesCount": 100,', '')
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(ValueError, match=r'a\.json, task 1, region 1: .* frameRate .* give it with --fps'):
        read(tmp_path / 'a.json', media=kitchen)
    (_, one), _ = read(tmp_path / 'a.json', media=kitchen, fps=10)
    assert one.segments[1] == ('pour', 1.0, 3.0, None)


@pytest.mark.parametrize('name', ['cvat_video.xml', 'cvat_images.xml'])
def test_missing_frame_rate_is_asked_for(name):
    with pytest.raises(ValueError, match=rf'{name}.* numbers the frames of .*give --videos .*, or --fps'):
        read(DATA / name)


def test_missing_picture_size_is_asked_for():
    with pytest.raises(ValueError, match=r'via\.json, metadata .*frame size is unknown: give --videos'):
        read(DATA / 'via.json')


def test_videos_of_several_files_are_put_together():
    (video,), notes = read(DATA / 'cvat_video.xml', DATA / 'cvat_images.xml', fps=FPS)
    assert len(video.boxes) == 8
    assert [box.time for box in video.boxes] == sorted(box.time for box in video.boxes)
    assert 'the annotations of a video are merged from several places' in notes


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        ('<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><ANNOTATION_DOCUMENT/>', "declares a document type, 'a'"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><ANNOTATION_DOCUMENT/>', 'declares a document type'),
        ('<a>' * 100 + '</a>' * 100, 'nested too deep'),
        ('<ANNOTATION_DOCUMENT>&b;</ANNOTATION_DOCUMENT>', 'not well-formed XML'),
        ('<html/>', 'not from ELAN'),
    ],
)
def test_dangerous_and_foreign_xml_is_refused(tmp_path, text, error):
    (tmp_path / 'a.eaf').write_text(text)
    with pytest.raises(ValueError, match=rf'a\.eaf.*{error}'):
        read(tmp_path / 'a.eaf')


def test_segment_that_ends_before_it_starts_is_named_with_its_line(tmp_path):
    text = (DATA / 'kitchen.eaf').read_text().replace('TIME_VALUE="1590"', 'TIME_VALUE="590"')
    (tmp_path / 'a.eaf').write_text(text)
    with pytest.raises(ValueError, match=r"a\.eaf, line 20, .*'cut & peel' from 0\.78 to 0\.59 s"):
        read(tmp_path / 'a.eaf')


def test_two_videos_of_the_same_file_name_in_a_csv_are_not_merged(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('video,label,start,end\nday1/a.mp4,cut,0,1\nday1/a.mp4,pour,1,2\nday2/a.mp4,cut,0,1\n')
    with pytest.raises(ValueError, match=r"a\.csv, line 4: 'day1/a\.mp4' and 'day2/a\.mp4' have the same file name"):
        read(path)
