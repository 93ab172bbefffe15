import json
from itertools import groupby
from types import SimpleNamespace

import numpy as np
import pytest
from mmaction.datasets import VideoDataset

from twlv_mm.synthetic import MOTIONS, item_rng, untrimmed
from twlv_mm.video import open_video

SEED, VIDEOS = 5, {'train_0000': ('train', 0), 'train_0001': ('train', 1), 'test_0000': ('test', 0)}
GREY = 128


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Three videos: ``folder``; ``truth``, video -> frames and actions as they were drawn, before any file."""
    folder = tmp_path_factory.mktemp('untrimmed') / 'set'
    assert untrimmed.make_untrimmed(folder, SEED, len(VIDEOS), workers=1)
    truth = {video: untrimmed.render_untrimmed(item_rng(SEED, *item), item[0]) for video, item in VIDEOS.items()}
    return SimpleNamespace(folder=folder, truth=truth)


@pytest.fixture
def on_grey(monkeypatch):
    """Videos are drawn on a plain background, so that every other pixel is an actor's."""
    plain = untrimmed.background
    monkeypatch.setattr(untrimmed, 'background', lambda *args: np.full_like(plain(*args), GREY))


def read_thumos(folder):
    return json.loads((folder / 'annotations.json').read_text())


def segments_of(labels):
    """Runs of equal labels but background: name, first frame, frame after the last."""
    segments, start = [], 0
    for name, run in groupby(labels):
        end = start + len(list(run))
        if name != 'background':
            segments.append((name, start, end))
        start = end
    return segments


def test_thumos_json_has_the_published_keys_and_the_drawn_actions(made):
    content = read_thumos(made.folder)
    classes = (made.folder / 'classes.txt').read_text().split()

    assert set(content) == {'version', 'database'}
    assert set(content['database']) == set(VIDEOS)
    for video, entry in content['database'].items():
        frames, actions = made.truth[video]
        assert set(entry) == {'subset', 'duration', 'fps', 'annotations'}
        assert entry['subset'] == ('Validation' if video.startswith('train') else 'Test')
        assert entry['duration'] == len(frames) / 8
        assert entry['fps'] == 8
        for annotation, (motion, start, end) in zip(entry['annotations'], actions, strict=True):
            assert set(annotation) == {'label', 'segment', 'segment(frames)', 'label_id'}
            assert annotation['segment'] == [start / 8, end / 8]
            assert annotation['segment(frames)'] == [start, end]
            assert annotation['label'] == motion == classes[annotation['label_id']]


def test_videos_are_one_to_three_minutes_of_several_actions_between_background(made):
    for video, (split, _) in VIDEOS.items():
        entry = read_thumos(made.folder)['database'][video]
        with open_video(made.folder / f'videos/{split}/{video}.mp4') as reader:
            assert reader.frame_times[-1, 1] == pytest.approx(entry['duration'])
        assert 60 <= entry['duration'] <= 180
        assert len(entry['annotations']) >= 5
        times = [0, *(t for a in entry['annotations'] for t in a['segment']), entry['duration']]
        assert (np.diff(times)[::2] >= 1).all()  # background
        assert (np.diff(times)[1::2] >= 2).all()  # actions


def test_frame_labels_say_the_same_as_the_json(made):
    mapping = dict(reversed(line.split()) for line in (made.folder / 'mapping.txt').read_text().splitlines())

    assert mapping == {name: str(i) for i, name in enumerate([*MOTIONS, 'background'])}
    for video, entry in read_thumos(made.folder)['database'].items():
        labels = (made.folder / f'groundTruth/{video}.txt').read_text().splitlines()
        assert len(labels) == entry['duration'] * entry['fps']
        assert set(labels) <= set(mapping)
        expected = [(a['label'], *a['segment(frames)']) for a in entry['annotations']]
        assert segments_of(labels) == expected


def test_each_fold_tests_what_it_does_not_train_on_and_each_video_is_tested_once(made):
    folds = {}
    for number in (1, 2):
        for part in ('train', 'test'):
            text = (made.folder / f'splits/{part}.split{number}.bundle').read_text()
            assert text.endswith('.txt\n')
            folds[part, number] = text.splitlines()

    files = sorted(path.name for path in (made.folder / 'groundTruth').iterdir())
    assert sorted(folds['test', 1] + folds['test', 2]) == files
    for number in (1, 2):
        assert sorted(folds['train', number] + folds['test', number]) == files
    assert folds['test', 1] == ['test_0000.txt']


def test_videos_read_by_mmaction2_are_the_drawn_frames(made, tmp_path):
    (tmp_path / 'list.txt').write_text(''.join(f'{split}/{video}.mp4 0\n' for video, (split, _) in VIDEOS.items()))
    dataset = VideoDataset(
        str(tmp_path / 'list.txt'),
        pipeline=[
            dict(type='twlv_mm.OpenVideo'),
            dict(type='twlv_mm.SampleClips', num_frames=1, frame_interval=1, num_clips=12, test_mode=True),
            dict(type='twlv_mm.DecodeVideo'),
        ],
        data_prefix=dict(video=str(made.folder / 'videos')),
        test_mode=True,
    )
    for item, (frames, actions) in zip(dataset, made.truth.values(), strict=True):
        assert item['total_frames'] == len(frames)
        compared = 0
        for index, image in zip(item['frame_inds'], item['imgs'], strict=True):
            assert np.abs(frames[index].astype(float) - image).mean() < 4
            # Where the actor moves, neighbouring frames can be told apart.
            if any(start + 2 < index < end - 3 for _, start, end in actions):
                errors = np.abs(frames[index - 2 : index + 3].astype(float) - image).mean(axis=(1, 2, 3))
                assert errors.argmin() == 2
                compared += 1
        assert compared


@pytest.mark.usefixtures('on_grey')
def test_there_is_motion_in_every_frame_of_an_action_and_in_none_of_the_background():
    frames, actions = untrimmed.render_untrimmed(item_rng(SEED, 'train', 0), 'train')
    changed = np.append(False, (frames[1:] != frames[:-1]).any(axis=(1, 2, 3)))

    end_of_last = 0
    for motion, start, end in [*actions, (None, len(frames), None)]:
        # At most two changes in a stretch of background: an actor goes, another one comes.
        assert changed[end_of_last : start + 1].sum() <= 2
        if motion:
            assert changed[start + 1 : end].all()
        end_of_last = end
    shown = [(frame != GREY).any() for frame in frames]
    assert not all(shown[:-1])
    still = [shown[t] and not changed[t] for t in range(len(frames))]
    assert any(still)


@pytest.mark.parametrize('index', range(2))
@pytest.mark.usefixtures('on_grey')
def test_labels_say_how_the_pixels_move(index):
    frames, actions = untrimmed.render_untrimmed(item_rng(SEED, 'test', index), 'test')

    def measure(frame):
        rows, columns = np.nonzero((frame != GREY).any(axis=2))
        return np.array([columns.mean(), rows.mean(), np.sqrt(len(rows))])

    changes = dict(right=(0, 1), left=(0, -1), down=(1, 1), up=(1, -1), growing=(2, 1), shrinking=(2, -1))
    for motion, start, end in actions:
        difference = measure(frames[end - 1]) - measure(frames[start])
        if motion in changes:
            axis, sign = changes[motion]
            assert difference[axis] * sign > 5
        else:
            assert (np.abs(difference) < 5).all()


def test_seeds_and_splits_draw_different_videos():
    drawn = [untrimmed.draw_timeline(item_rng(*item)) for item in ((0, 'train', 0), (1, 'train', 0), (0, 'test', 0))]
    assert drawn[0] != drawn[1]
    assert drawn[0] != drawn[2]


def test_one_video_is_too_few_for_two_splits(tmp_path):
    with pytest.raises(ValueError, match='at least 2'):
        untrimmed.make_untrimmed(tmp_path / 'set', num_videos=1)
