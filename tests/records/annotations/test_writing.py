"""What is written for annotation tools is read back the same, and what models train on is read by their datasets."""

import json
import re
from pathlib import Path

import pytest

from twlv_mm.detection.ava_annotations import read_action_names, read_ava_csv
from twlv_mm.localization import read_annotations
from twlv_mm.records.annotations import (
    Box,
    Clock,
    Import,
    Segment,
    VideoAnnotations,
    read_annotation_files,
    split_videos,
    take_lifetimes,
    write_annotation_table,
    write_cvat,
    write_detection,
    write_elan,
    write_fiftyone,
    write_localization,
    write_segmentation,
)
from twlv_mm.segmentation.labels import check_folds, read_labels, read_mapping, read_split

from ...commands import run_tool

ROOT = Path(__file__).resolve().parents[3]
FPS = 25
SEGMENTS = [Segment('cut & peel', 0.2, 1.24, 0.9), Segment('pour', 1.0, 2.0, 0.5), Segment('pour', 1.4, 3.0, 0.25)]


def middle(frame):
    return (frame + 0.5) / FPS


BOXES = [
    Box('walk', middle(3), (0.1, 0.2, 0.5, 0.9), 'a', 0.75),
    Box('walk', middle(4), (0.12, 0.2, 0.52, 0.9), 'a', 0.75),
    Box('wave', middle(4), (0.12, 0.2, 0.52, 0.9), None, 0.5),
    Box('walk', middle(50), (0.3, 0.2, 0.7, 0.9), 'a', 0.75),
]


@pytest.fixture
def video():
    return VideoAnnotations('match.v2.mp4', list(SEGMENTS), list(BOXES), duration=4.0, size=(320.0, 240.0))


def back(folder, **known):
    return read_annotation_files([folder], Import(fps=FPS, **known))


def times(segments):
    return sorted((one.label, round(one.start, 3), round(one.end, 3)) for one in segments)


def test_elan_gives_back_segments_in_tiers_that_do_not_overlap(video, tmp_path):
    assert write_elan([video], tmp_path) == ['the scores of 3 segments, which ELAN cannot represent, are lost']
    (found,) = back(tmp_path)
    assert found.video_id == 'match.v2'
    assert times(found.segments) == times(SEGMENTS)
    text = (tmp_path / 'match.v2.eaf').read_text()
    assert [text.count(f'TIER_ID="{name}"') for name in ('cut &amp; peel', 'pour', 'pour 2')] == [1, 1, 1]
    video.segments = SEGMENTS[:1] + [Segment('pour', 1.24, 2.0)]
    write_elan([video], tmp_path)
    assert (tmp_path / 'match.v2.eaf').read_text().count('<TIER ') == 1


def test_cvat_gives_back_boxes_of_the_same_frames(video, tmp_path):
    video.segments = []
    told = write_cvat([video], tmp_path, {'match.v2': Clock(fps=FPS)})
    assert told == ['the scores of 4 annotations, which CVAT cannot represent, are lost']
    (found,) = back(tmp_path)
    assert (found.file, found.size) == (video.file, video.size)
    assert len(found.boxes) == len(BOXES)
    for one, other in zip(found.boxes, sorted(BOXES, key=lambda box: box.time), strict=True):
        assert (one.label, round(one.time, 4)) == (other.label, round(other.time, 4))
        assert one.corners == pytest.approx(other.corners, abs=1e-4)  # hundredths of a pixel
    assert len({box.track for box in found.boxes}) == 2


def test_cvat_gives_back_segments_as_lives_of_tracks(video, tmp_path):
    video.boxes = []
    write_cvat([video], tmp_path, {'match.v2': Clock(fps=FPS)})
    context = Import(fps=FPS)
    found = read_annotation_files([tmp_path], context)
    take_lifetimes(found, context)
    assert times(found[0].segments) == times(SEGMENTS)


def test_cvat_gets_no_frame_after_the_last_of_the_video(video, tmp_path):
    video.segments.append(Segment('rest', 3.0, 4.0))
    video.boxes.append(Box('walk', middle(99), (0.1, 0.2, 0.5, 0.9), 'a'))
    write_cvat([video], tmp_path, {'match.v2': Clock(fps=FPS)})
    frames = set(map(int, re.findall(r'frame="([0-9]+)"', (tmp_path / 'match.v2.xml').read_text())))
    assert max(frames) == 99  # of 100
    (found,) = back(tmp_path)
    assert ('rest', 3.0, 4.0) in times(found.lifetimes)
    assert len([box for box in found.boxes if box.time > 3.97]) == 2


def test_csv_gives_back_all_but_the_sizes(video, tmp_path):
    video.segments.append(Segment('=1+1', 3.0, 3.5))
    write_annotation_table([video], tmp_path)
    (found,) = back(tmp_path)
    assert times(found.segments) == times(video.segments)
    assert [one.score for one in found.segments] == [0.9, 0.5, 0.25, None]
    assert [(b.label, round(b.time, 2), b.track, b.score) for b in found.boxes] == [
        (b.label, round(b.time, 2), b.track, b.score) for b in BOXES
    ]


def test_fiftyone_has_segments_in_seconds_or_boxes_in_frames_from_1(video, tmp_path):
    write_fiftyone([VideoAnnotations('match.mp4', SEGMENTS[:1])], tmp_path, {})
    labels = json.loads((tmp_path / 'labels.json').read_text())
    assert labels == dict(labels=dict(match=[dict(label='cut & peel', timestamps=[0.2, 1.24], confidence=0.9)]))
    write_fiftyone([video], tmp_path, {'match.v2': Clock(fps=FPS)})
    frames = json.loads((tmp_path / 'labels/match.v2.json').read_text())['frames']
    assert list(frames) == ['4', '5', '51']
    assert [one['label'] for one in frames['5']['objects']['objects']] == ['walk', 'wave']
    assert frames['4']['objects']['objects'] == [
        dict(
            label='walk',
            bounding_box=dict(top_left=dict(x=0.1, y=0.2), bottom_right=dict(x=0.5, y=0.9)),
            confidence=0.75,
            index=1,
        )
    ]


def test_results_of_inference_are_annotations(tmp_path):
    found = dict(video='/videos/match.mp4', duration_seconds=3.0, predictions=[])
    found['predictions'] = [dict(label='run', index=1, start=0.5, end=1.5, score=0.8)]
    (tmp_path / 'match.json').write_text(json.dumps(found))
    action = dict(label='walk', index=2, score=0.6)
    keyframe = dict(time=1.0, predictions=[dict(box=[0.1, 0.1, 0.4, 0.9], pixels=[], actions=[action])])
    found = dict(video='street.mp4', duration_seconds=2.0, size=[640, 480], interval_seconds=1.0, keyframes=[keyframe])
    (tmp_path / 'street.json').write_text(json.dumps(found))
    (tmp_path / 'summary.csv').write_text('video_id,label,index,start,end,score\n')
    match, street = back(tmp_path)
    assert match.segments == [('run', 0.5, 1.5, 0.8)]
    assert (match.duration, street.size) == (3.0, (640.0, 480.0))
    assert street.boxes == [('walk', 1.0, (0.1, 0.1, 0.4, 0.9), None, 0.6)]


@pytest.fixture
def videos():
    """Six videos of 4 s, with two actions each."""
    return [
        VideoAnnotations(f'{n}.mp4', [Segment('cut', 0.5, 1.5), Segment('pour' if n % 2 else 'stir', 1.5, 3.0)])
        for n in range(6)
    ]


def test_localization_is_read_by_its_data_set(videos, tmp_path):
    (parts,) = split_videos(videos, 0.6, seed=1)
    write_localization(videos, parts, tmp_path)
    train, val = (read_annotations(tmp_path / 'annotations.json', part) for part in ('train', 'val'))
    assert train.classes == val.classes == ('cut', 'pour', 'stir')
    assert len(train.videos) + len(val.videos) == 6
    for part in (train, val):
        assert {label for one in part.videos.values() for label in one.labels.tolist()} == {0, 1, 2}
    assert (train.videos | val.videos)['1'].segments.tolist() == [[0.5, 1.5], [1.5, 3.0]]


def test_segmentation_is_read_by_its_data_set(videos, tmp_path):
    with pytest.raises(ValueError, match=r'the duration of 0\.mp4'):
        write_segmentation(videos, split_videos(videos, folds=3), tmp_path, 10)
    for one in videos:
        one.duration = 4.0
    write_segmentation(videos, split_videos(videos, folds=3), tmp_path, 10)
    assert check_folds(tmp_path) == ([1, 2, 3], [])
    classes = read_mapping(tmp_path)
    assert classes == ('background', 'cut', 'pour', 'stir')
    labels = read_labels(tmp_path, '1', classes).tolist()
    assert labels == [0] * 5 + [1] * 10 + [2] * 15 + [0] * 10
    assert len(read_split(tmp_path, 'train', 2)) == 4
    videos[0].segments[0] = Segment('cut', 0.5, 2.0)
    with pytest.raises(ValueError, match=r"0\.mp4: 'cut' ends at 2\.000 s, after 'stir' begins at 1\.500"):
        write_segmentation(videos, split_videos(videos, folds=3), tmp_path, 10)


@pytest.mark.parametrize(('every', 'count'), [(None, 3), (1.0, 2)])
def test_detection_is_read_by_its_data_set(tmp_path, every, count):
    videos = [VideoAnnotations(f'{n}.mp4', boxes=list(BOXES)) for n in range(4)]
    (parts,) = split_videos(videos, 0.5)
    write_detection(videos, parts, tmp_path, every)
    assert read_action_names(tmp_path / 'actions.pbtxt') == {1: 'walk', 2: 'wave'}
    rows = read_ava_csv(tmp_path / 'val.csv')
    assert len(set(rows.timestamps.tolist())) == count
    assert set(rows.videos) == {video_id for video_id, part in parts.items() if part == 'val'}
    assert rows.boxes[0].tolist() == pytest.approx(BOXES[0].corners, abs=1e-4)
    assert set(rows.persons.tolist()) == ({0, -1} if every is None else {0})


def test_name_that_avas_files_cannot_hold_is_refused(tmp_path):
    videos = [VideoAnnotations('a,b.mp4', boxes=list(BOXES)), VideoAnnotations('c.mp4', boxes=list(BOXES))]
    with pytest.raises(ValueError, match="'a,b' contains ','"):
        write_detection(videos, split_videos(videos)[0], tmp_path)


@pytest.mark.parametrize(
    ('source', 'to', 'more', 'files'),
    [
        ('via.json', 'fiftyone', ['--label-from', 'TEMPORAL-SEGMENTS'], {'labels.json'}),
        ('label_studio.json', 'localization', ['--group', '(.*)'], {'annotations.json', 'classes.txt'}),
        ('cvat_video.xml', 'elan', ['--fps', '25'], {'street.eaf'}),
    ],
)
def test_command_writes_what_it_says_and_a_record(source, to, more, files, tmp_path, capsys):
    data = ROOT / 'tests/data/annotations' / source
    assert run_tool('convert_annotations.py', data, '--to', to, '--out', tmp_path / 'out', *more) == 0
    assert {path.name for path in (tmp_path / 'out').iterdir()} == files | {'conversion.json'}
    record = json.loads((tmp_path / 'out/conversion.json').read_text())
    assert capsys.readouterr().out.splitlines() == record['told']
    assert record['options']['to'] == to


def test_command_says_what_is_missing_and_ends_with_2(tmp_path, capsys):
    data = ROOT / 'tests/data/annotations/cvat_video.xml'
    assert run_tool('convert_annotations.py', data, '--to', 'detection', '--out', tmp_path) == 2
    assert 'or --fps' in capsys.readouterr().err


def test_command_asks_whether_similar_labels_are_the_same_class(tmp_path, capsys):
    (tmp_path / 'a.csv').write_text('video,label,start,end\na.mp4,cut,0,1\nb.mp4,Cut,1,2\n')
    assert (
        run_tool('convert_annotations.py', tmp_path / 'a.csv', '--to', 'localization', '--out', tmp_path / 'out') == 0
    )
    assert "are 'Cut' and 'cut' the same class?" in capsys.readouterr().out
