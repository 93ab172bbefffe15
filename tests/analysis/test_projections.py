"""From vectors to the plane."""

import numpy as np
import pytest

from twlv_mm.analysis import project
from twlv_mm.analysis.projections import halves

from .saved import clusters


def data(count=60, **options):
    """(count, D) vectors and their labels."""
    clips, labels = clusters(count, num_clips=1, **options)
    return np.concatenate(list(clips.values())), np.array(list(labels.values()))


def noise(count=80, dims=70, seed=0):
    """Vectors that know nothing of their labels."""
    return np.random.default_rng(seed).normal(size=(count, dims)), np.arange(count) % 4


def share_nearest_own_centre(xy, labels):
    centres = np.stack([xy[labels == label].mean(axis=0) for label in np.unique(labels)])
    return (np.linalg.norm(xy[:, None] - centres, axis=2).argmin(axis=1) == labels).mean()


def test_principal_components_are_those_of_the_singular_values():
    vectors, _ = data()
    found = project(vectors, 'pca')
    centred = vectors - vectors.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.xy), np.abs(centred @ axes[:2].T), atol=1e-6)
    assert found.axes[0] == f'principal component 1 ({100 * sizes[0] ** 2 / (sizes**2).sum():.1f} %)'


def test_tsne_keeps_clusters_and_repeats_itself_with_a_seed():
    vectors, labels = data(dims=80, distance=4.0)
    first, again = (project(vectors, 'tsne', seed=1, perplexity=10) for _ in range(2))
    np.testing.assert_array_equal(first.xy, again.xy)
    assert share_nearest_own_centre(first.xy, labels) > 0.95
    assert first.note == 't-SNE, perplexity 10, seed 1'


def test_discriminants_show_on_other_videos_what_there_is_to_tell():
    vectors, labels = data(dims=100, distance=2.0)
    found = project(vectors, 'lda', labels)
    assert len(found.rows) == 30
    assert share_nearest_own_centre(found.xy, labels[found.rows]) > 0.95


def test_discriminants_are_found_whatever_the_covariance_within_classes_is_like():
    # The same in all directions, so that it is shrunk to a multiple of the identity.
    vectors = np.random.default_rng(0).normal(size=(90, 8))
    labels = np.arange(90) % 3
    vectors[np.arange(90), labels] += 8
    projection = project(vectors, 'lda', labels)
    means = [projection.xy[labels[projection.rows] == label].mean(axis=0) for label in range(3)]
    assert all(np.linalg.norm(means[one] - means[other]) > 6 for one, other in ((0, 1), (0, 2), (1, 2)))


def test_discriminants_of_noise_separate_only_what_they_were_fitted_on():
    vectors, labels = noise()
    sound, published = project(vectors, 'lda', labels), project(vectors, 'lda', labels, fit_drawn=True)
    assert share_nearest_own_centre(sound.xy, labels[sound.rows]) < 0.6  # nearest of centres that they make themselves
    assert share_nearest_own_centre(published.xy, labels[published.rows]) > 0.8
    assert len(published.rows) == 80
    assert 'fitted on the points that are drawn' in published.note
    assert 'fitted on 40 points of one half of the videos' in sound.note


def test_two_classes_have_one_discriminant_and_a_second_axis_of_what_it_leaves():
    vectors, labels = data(classes=2)
    found = project(vectors, 'lda', labels)
    assert found.one_axis
    assert found.xy.shape == (30, 2)
    across, up = (found.xy[labels[found.rows] == 0].mean(axis=0) - found.xy[labels[found.rows] == 1].mean(axis=0)).T
    assert abs(across) > 3 * abs(up)


def test_all_vectors_of_a_video_are_in_one_half_and_each_class_is_in_both():
    groups = np.repeat(np.arange(20), 3)
    labels = np.repeat(np.arange(20) % 4, 3)
    one, other = halves(labels, groups, 0)
    assert not set(groups[one]) & set(groups[other])
    assert np.bincount(labels[one]).tolist() == [9] * 4
    assert np.bincount(labels[other]).tolist() == [6] * 4


def test_class_of_one_video_is_named():
    vectors, _ = data(7)
    with pytest.raises(ValueError, match='1 classes have a single video.*leave out kick'):
        project(vectors, 'lda', np.array(['run'] * 6 + ['kick']))


@pytest.mark.parametrize(
    ('method', 'options', 'message'),
    [
        ('umap', {}, "unknown method 'umap'; choose from pca, tsne, lda"),
        ('lda', dict(labels=np.zeros(9)), 'lda needs several classes'),
        ('tsne', dict(perplexity=30), 'perplexity is 30; for 9 vectors'),
    ],
)
def test_what_cannot_be_drawn_says_why(method, options, message):
    with pytest.raises(ValueError, match=message):
        project(data(9)[0], method, **options)
