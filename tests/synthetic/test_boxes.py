import json
from types import SimpleNamespace

import mmengine
import numpy as np
import pytest
from mmaction.datasets import AVADataset
from mmaction.evaluation.functional import ava_utils

from twlv_mm.synthetic import MOTIONS, boxes, item_rng
from twlv_mm.synthetic.annotations import write_ava

SEED, SPLITS = 2, dict(train=4, test=2)


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """Six clips: ``folder``; ``truth``, video -> frames and people as they were drawn, before any file."""
    folder = tmp_path_factory.mktemp('boxes') / 'set'
    assert boxes.make_boxes(folder, SEED, sum(SPLITS.values()), workers=1)
    truth = {
        f'{split}_{index:04d}': boxes.render_boxes_clip(item_rng(SEED, split, index), split)
        for split, number in SPLITS.items()
        for index in range(number)
    }
    return SimpleNamespace(folder=folder, truth=truth)


@pytest.fixture(scope='module')
def covered():
    """Eight clips: the share of each pixel that an actor covers, (T, H, W), and the people."""
    drawn, plain = [], boxes.background
    with pytest.MonkeyPatch.context() as patch:
        for level in (0, 255):
            patch.setattr(boxes, 'background', lambda *args, level=level: np.full_like(plain(*args), level))
            drawn.append([boxes.render_boxes_clip(item_rng(SEED, 'train', index), 'train') for index in range(8)])
    return [
        (1 - (on_white.astype(np.float32) - on_black).mean(axis=-1) / 255, people)
        for (on_black, people), (on_white, _) in zip(*drawn, strict=True)
    ]


def keyframes(truth, split):
    """(video, time stamp, frame index) of each keyframe of a split, from AVA's rules."""
    for video, (frames, _) in truth.items():
        if video.startswith(split):
            for stamp in range(902, 900 + len(frames) // 12 - 1):
                yield video, stamp, (stamp - 900) * 12


def changes_at(people, index):
    return any(person['motions'][index] != person['motions'][index + 1] for person in people)


def ava_dataset(folder, split):
    return AVADataset(
        str(folder / f'ava_{split}.csv'),
        [
            dict(type='mmaction.DecordInit'),
            dict(type='mmaction.SampleAVAFrames', clip_len=1, frame_interval=1, test_mode=True),
            dict(type='mmaction.DecordDecode'),
        ],
        exclude_file=str(folder / f'ava_{split}_excluded_timestamps.csv'),
        label_file=str(folder / 'ava_action_list.pbtxt'),
        proposal_file=str(folder / f'ava_dense_proposals_{split}.pkl'),
        data_prefix=dict(img=str(folder / 'videos')),
        num_classes=17,
        fps=12,
        timestamp_start=900,
        start_index=0,
        use_frames=False,
        test_mode=True,
    )


@pytest.mark.parametrize('split', SPLITS)
def test_mmaction2_reads_the_drawn_keyframes_boxes_and_actions(made, split):
    dataset = ava_dataset(made.folder, split)
    with open(made.folder / 'ava_action_list.pbtxt') as file:
        names = {entry['id']: entry['name'] for entry in ava_utils.read_labelmap(file)[0]}

    wanted = [k for k in keyframes(made.truth, split) if not changes_at(made.truth[k[0]][1], k[2])]
    assert [(item['video_id'], item['timestamp']) for item in dataset] == [k[:2] for k in wanted]
    for item, (video, _, index) in zip(dataset, wanted, strict=True):
        frames, people = made.truth[video]
        errors = np.abs(frames[index - 15 : index + 16].astype(float) - item['imgs'][0]).mean(axis=(1, 2, 3))
        assert errors.argmin() == 15
        assert errors.min() < 4
        # CSV rows have three decimals of the frame's side, a tenth of a pixel.
        np.testing.assert_allclose(item['gt_bboxes'], [p['boxes'][index] for p in people], atol=0.05)
        assert item['entity_ids'].tolist() == list(range(len(people)))
        actions = [{names[i] for i in np.flatnonzero(label)} for label in item['gt_labels']]
        assert actions == [{p['motions'][index], p['appearance']} for p in people]


def test_keyframes_at_which_a_motion_changes_are_excluded_and_no_others(tmp_path):
    # Until there is a clip that has one.
    for index in range(50):
        clip = boxes.write_boxes_clip(tmp_path, SEED, 'train', index)
        if any(keyframe['excluded'] for keyframe in clip['keyframes']):
            break
    write_ava(tmp_path, 'train', [clip], boxes.ACTIONS)

    frames, people = boxes.render_boxes_clip(item_rng(SEED, 'train', index), 'train')
    images = dict(changes=set(), steady=set())
    for video, stamp, t in keyframes({clip['video']: (frames, people)}, 'train'):
        images['changes' if changes_at(people, t) else 'steady'].add(f'{video},{stamp:04d}')
    with (tmp_path / 'ava_train_excluded_timestamps.csv').open() as file:
        assert ava_utils.read_exclusions(file) == images['changes']
    with (tmp_path / 'ava_train.csv').open() as file:
        assert set(ava_utils.read_csv(file)[0]) == images['steady']
    assert images['changes']


def test_perfect_detections_score_100_percent_in_the_published_evaluation(made, tmp_path, monkeypatch):
    # 32 processes for a few boxes: the same work in one.
    monkeypatch.setattr(ava_utils.multiprocessing, 'Pool', lambda _: SimpleNamespace(map=lambda f, t: [*map(f, t)]))
    folder, rows = made.folder, []
    for video, stamp, index in keyframes(made.truth, 'train'):
        _, people = made.truth[video]
        for person in people:
            x1, y1, x2, y2 = person['boxes'][index]
            for action in (person['motions'][index], person['appearance']):
                action_id = boxes.ACTIONS.index(action) + 1
                rows.append(f'{video},{stamp},{x1 / 96},{y1 / 96},{x2 / 96},{y2 / 96},{action_id},0.9\n')
    (tmp_path / 'detections.csv').write_text(''.join(rows))
    scores = ava_utils.ava_eval(
        tmp_path / 'detections.csv',
        'mAP',
        folder / 'ava_action_list.pbtxt',
        folder / 'ava_train.csv',
        folder / 'ava_train_excluded_timestamps.csv',
        verbose=False,
    )
    assert scores['overall'] == pytest.approx(1)


def test_action_ids_are_1_to_16(made):
    with open(made.folder / 'ava_action_list.pbtxt') as file:
        entries, ids = ava_utils.read_labelmap(file)
    assert ids == set(range(1, 17))
    assert [entry['name'] for entry in entries][:8] == list(MOTIONS)


def test_rows_are_written_as_in_avas_csv(made):
    rows = [line.split(',') for line in (made.folder / 'ava_train.csv').read_text().splitlines()]
    for video, stamp, *corners, action, person in rows:
        assert (made.folder / f'videos/{video}.mp4').is_file()
        assert len(stamp) == 4
        assert all(len(edge) == len('0.077') for edge in corners)
        assert 1 <= int(action) <= 16
        assert 0 <= int(person) <= 2


@pytest.mark.parametrize('split', SPLITS)
def test_boxes_of_every_frame_are_those_that_were_drawn(made, split):
    rows = [line.split(',') for line in (made.folder / f'ava_{split}_tubes.csv').read_text().splitlines()]
    found = {(video, stamp, int(person)): [*map(float, box)] for video, stamp, *box, action, person in rows}
    assert {row[6] for row in rows} == {'-1'}
    drawn = {
        (video, f'{900 + t / 12:.3f}', number): np.array(box) / 96
        for video, (_, people) in made.truth.items()
        if video.startswith(split)
        for number, person in enumerate(people)
        for t, box in enumerate(person['boxes'])
    }
    assert found.keys() == drawn.keys()
    np.testing.assert_allclose([found[key] for key in drawn], [*drawn.values()], atol=0.0006)


@pytest.mark.parametrize('split', SPLITS)
def test_proposals_find_every_actor_and_the_json_is_the_pickle(made, split):
    proposals = mmengine.load(made.folder / f'ava_dense_proposals_{split}.pkl')
    as_json = json.loads((made.folder / f'ava_dense_proposals_{split}.json').read_text())

    assert {image: array.tolist() for image, array in proposals.items()} == as_json
    assert set(proposals) == {f'{video},{stamp:04d}' for video, stamp, _ in keyframes(made.truth, split)}
    for video, stamp, index in keyframes(made.truth, split):
        array = proposals[f'{video},{stamp:04d}']
        assert array.shape[1] == 5
        assert (np.diff(array[:, 4]) <= 0).all()
        sure = array[array[:, 4] >= 0.9, :4] * 96
        drawn = np.array([person['boxes'][index] for person in made.truth[video][1]])
        distances = np.abs(sure[:, None] - drawn[None]).max(axis=2)
        assert len(sure) == len(drawn)
        assert (distances.min(axis=0) < 3).all()
    assert min(len(array) for array in proposals.values()) >= 1


def test_boxes_are_tight_around_the_pixels_that_are_at_least_half_covered(covered):
    # What is drawn has been rounded to whole grey levels.
    rounding = 0.01
    for coverage, people in covered:
        for frame, index in zip(coverage[::7], range(0, len(coverage), 7), strict=True):
            outside = frame.copy()
            for x1, y1, x2, y2 in (person['boxes'][index] for person in people):
                inside = frame[y1:y2, x1:x2]
                edges = inside[0], inside[-1], inside[:, 0], inside[:, -1]
                assert min(edge.max() for edge in edges) > 0.5 - rounding
                outside[y1:y2, x1:x2] = 0
            assert outside.max() < 0.5 + rounding


def test_one_to_three_actors_keep_apart(covered):
    assert max(len(people) for _, people in covered) > 1
    for coverage, people in covered:
        assert 1 <= len(people) <= 3
        assert 120 <= len(coverage) <= 240
        for index in range(len(coverage)):
            owners = np.zeros((96, 96), int)
            for x1, y1, x2, y2 in (person['boxes'][index] for person in people):
                owners[y1:y2, x1:x2] += 1
            # Boxes may share a corner.
            assert (owners > 1).sum() < 0.1 * (owners > 0).sum()


def test_motions_say_how_the_boxes_move_and_none_is_cut_off_by_the_frame(covered):
    changes = dict(right=(0, 1), left=(0, -1), down=(1, 1), up=(1, -1), growing=(2, 1), shrinking=(2, -1))
    seen = set()
    for coverage, people in covered:
        for person in people:
            x1, y1, x2, y2 = np.array(person['boxes']).T
            width, height = x2 - x1, y2 - y1
            measured = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, np.sqrt(width * height)])
            motions = person['motions']
            assert len(set(motions)) > 1
            for index in range(12, len(coverage)):
                if motions[index] in changes and len(set(motions[index - 11 : index + 1])) == 1:
                    axis, sign = changes[motions[index]]
                    difference = measured[:, index] - measured[:, index - 12]
                    # A small actor grows by less than a pixel in a second.
                    assert difference[axis] * sign > (1 if axis < 2 else 0)
                    if axis < 2:
                        assert abs(difference[1 - axis]) <= 1
                        assert abs(width[index] - width[index - 12]) <= 1
                        assert abs(height[index] - height[index - 12]) <= 1
                    seen.add(motions[index])
    assert seen == set(changes)


def test_one_clip_is_too_few_for_two_splits(tmp_path):
    with pytest.raises(ValueError, match='at least 2'):
        boxes.make_boxes(tmp_path / 'set', num_clips=1)
