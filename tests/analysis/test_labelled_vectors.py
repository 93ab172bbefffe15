"""Which vectors are looked at."""

import numpy as np
import pytest

from twlv_mm.analysis import common_videos, load_vectors, select_vectors

from .saved import clusters, save_folder


@pytest.mark.parametrize('form', ['npy', 'parquet'])
def test_both_formats_give_the_same_points_of_videos_and_of_clips(form, tmp_path):
    clips, labels = clusters(9)
    save_folder(tmp_path / 'uniform/val', clips, labels, form)
    videos, of_clips = (load_vectors(tmp_path / 'uniform/val', scope) for scope in ('video', 'clip'))
    assert (videos.vectors.shape, of_clips.vectors.shape) == ((9, 6), (18, 6))
    assert videos.classes == of_clips.classes == ['0', '1', '2']
    assert [labels[name] for name in videos.video_ids] == videos.labels.tolist()
    np.testing.assert_allclose(of_clips.vectors[4:6], clips['v002'], rtol=1e-6)
    assert of_clips.spans[4:6].tolist() == [[0, 1], [1, 2]]


def test_list_of_videos_and_names_of_classes_stand_in_for_annotations(tmp_path):
    clips, labels = clusters(6)
    save_folder(tmp_path / 'val', clips)
    assert load_vectors(tmp_path / 'val').classes == ['no label']
    (tmp_path / 'val.txt').write_text(''.join(f'{name}.mp4 {label}\n' for name, label in labels.items()))
    (tmp_path / 'names.txt').write_text('up\ndown\nleft\nright\n')
    points = load_vectors(tmp_path / 'val', 'video', tmp_path / 'val.txt', tmp_path / 'names.txt')
    assert points.classes == ['up', 'down', 'left']
    assert points.class_of()['v004'] == 'down'


@pytest.mark.parametrize(
    ('annotations', 'names', 'message'),
    [
        ({'v000': 1}, None, '5 of 6 videos do not have a single class'),
        ({f'v00{i}': [i, 2] for i in range(6)}, None, r'v000 has \[0, 2\]'),
        ({f'v00{i}': i for i in range(6)}, ['up', 'down'], '2 class names, but .* has the class 2'),
    ],
)
def test_videos_without_one_class_are_not_points(annotations, names, message, tmp_path):
    save_folder(tmp_path / 'val', clusters(6)[0], annotations)
    with pytest.raises(ValueError, match=message):
        load_vectors(tmp_path / 'val', class_names=names)


def test_vector_that_is_not_finite_names_its_video(tmp_path):
    clips, labels = clusters(4)
    clips['v002'][0, 1] = np.nan
    save_folder(tmp_path / 'val', clips, labels)
    with pytest.raises(ValueError, match='v002 in .* contains NaN'):
        load_vectors(tmp_path / 'val', 'clip')


@pytest.fixture
def points(tmp_path):
    clips, labels = clusters(60, classes=6)
    save_folder(tmp_path / 'val', clips, {name: 'abcdef'[label] for name, label in labels.items()})
    return load_vectors(tmp_path / 'val', 'clip')


def test_classes_are_chosen_by_name_number_or_at_random_or_left_out(points):
    assert select_vectors(points, only=['b', '3']).classes == ['b', 'd']
    assert select_vectors(points, exclude=['a', 'f']).classes == ['b', 'c', 'd', 'e']
    drawn = select_vectors(points, num_classes=3, seed=1)
    assert len(drawn.classes) == 3
    assert drawn.classes != select_vectors(points, num_classes=3, seed=2).classes
    with pytest.raises(ValueError, match="unknown class 'g'; it is not among the 6: a, b, c, d, e, …"):
        select_vectors(points, only=['g'])
    with pytest.raises(ValueError, match='no points are left'):
        select_vectors(points, only=['a'], exclude=['a'])


@pytest.mark.parametrize('names', [None, ['up', 'down', 'left', 'right']])
def test_number_of_a_class_is_its_label_though_others_have_no_videos(names, tmp_path):
    save_folder(tmp_path / 'val', clusters(6)[0], {f'v00{number}': (0, 1, 3)[number % 3] for number in range(6)})
    points = load_vectors(tmp_path / 'val', class_names=names)
    assert select_vectors(points, only=['3']).classes == ['right' if names else '3']
    assert select_vectors(select_vectors(points, exclude=['0']), only=['3']).classes == ['right' if names else '3']
    with pytest.raises(ValueError, match="unknown class '2'; it is not among the 3"):
        select_vectors(points, only=['2'])


def test_random_choice_of_points_depends_on_the_seed_alone(points):
    half = select_vectors(points, amount=0.5, seed=3)
    assert len(half.labels) == 60
    assert len(select_vectors(points, amount=7).labels) == 7
    other = points._replace(vectors=points.vectors + 1)
    np.testing.assert_array_equal(select_vectors(other, amount=0.5, seed=3).vectors, half.vectors + 1)
    assert select_vectors(points, amount=0.5, seed=4).spans.tolist() != half.spans.tolist()


def test_encoders_are_compared_on_the_videos_that_both_have(points):
    less = points.take(points.videos >= 10)
    kept, left_out = common_videos(dict(one=points, two=less))
    assert kept['one'].video_ids == kept['two'].video_ids == points.video_ids[10:]
    assert left_out == {'one': 10}
    with pytest.raises(ValueError, match="v010 has the class 'e' in one and 'f' in two"):
        common_videos(dict(one=points, two=less._replace(classes=['b', 'c', 'd', 'a', 'f', 'e'])))
    with pytest.raises(ValueError, match='one, two have no video in common'):
        common_videos(dict(one=points.take(points.videos < 10), two=less))
