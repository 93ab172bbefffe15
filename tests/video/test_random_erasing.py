"""Random erasing: one rectangle of noise, at the same place in all frames of a clip."""

import numpy as np
import pytest

from twlv_mm.video.random_erasing import RandomErasing, draw_rectangle


def erase(images, seed=0, num_clips=None, prob=1.0):
    np.random.seed(seed)
    results = dict(imgs=images) if num_clips is None else dict(imgs=images, num_clips=num_clips)
    return np.stack(RandomErasing(prob)(results)['imgs'])


def place(frame):
    """Rows and columns of a frame that differ from black anywhere: top, bottom, left, right."""
    rows, columns = np.flatnonzero(frame.any(axis=(1, 2))), np.flatnonzero(frame.any(axis=(0, 2)))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def black(count, height=56, width=72):
    return list(np.zeros((count, height, width, 3), np.uint8))


def test_rectangle_is_within_its_limits():
    np.random.seed(0)
    drawn = np.array([draw_rectangle(224, 224) for _ in range(200)])
    tops, lefts, heights, widths = drawn.T
    areas, ratios = heights * widths / 224**2, heights / widths
    assert (tops >= 0).all()
    assert (lefts >= 0).all()
    assert (tops + heights <= 224).all()
    assert (lefts + widths <= 224).all()
    # Sides are whole pixels, hence a little room.
    assert 0.0195 <= areas.min() < 0.04
    assert 0.28 < areas.max() <= 0.335
    assert areas.mean() == pytest.approx((0.02 + 1 / 3) / 2, abs=0.02)
    assert 0.295 <= ratios.min() < 0.35
    assert 2.8 < ratios.max() <= 3.4
    assert np.log(ratios).mean() == pytest.approx(0, abs=0.12)
    assert np.mean(tops / (224 - heights)) == pytest.approx(0.5, abs=0.06)
    assert np.mean(lefts / (224 - widths)) == pytest.approx(0.5, abs=0.06)


def test_height_and_width_are_those_of_the_frame():
    np.random.seed(0)
    drawn = np.array([draw_rectangle(40, 160) for _ in range(200)])
    tops, lefts, heights, widths = drawn.T
    assert (tops + heights).max() == 40
    assert 80 < (lefts + widths).max() <= 160
    assert heights.max() < 40
    assert (heights * widths).min() > 0


@pytest.mark.parametrize('seed', range(10))
def test_place_is_the_same_in_all_frames(seed):
    images = erase(black(4), seed)
    places = {place(image) for image in images}
    assert len(places) == 1
    top, bottom, left, right = places.pop()
    assert (bottom - top) * (right - left) <= 56 * 72 / 3 + 72
    assert images[:, top:bottom, left:right].any(axis=-1).mean() > 0.99  # the whole of it


def test_outside_of_the_rectangle_nothing_changes():
    frames = np.random.default_rng(0).integers(0, 256, (3, 56, 72, 3), dtype=np.uint8)
    top, bottom, left, right = place(erase(black(3))[0])  # by the same seed
    changed = erase(list(frames)) != frames
    assert changed[:, top:bottom, left:right].mean() > 0.9
    changed[:, top:bottom, left:right] = False
    assert not changed.any()


def test_noise_differs_from_pixel_to_pixel_and_frame_to_frame():
    images = erase(black(8, 224, 224))
    top, bottom, left, right = place(images[0])
    noise = images[:, top:bottom, left:right].astype(float)
    assert np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1] == pytest.approx(0, abs=0.05)
    assert np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1] == pytest.approx(0, abs=0.2)
    within = noise - noise.mean(axis=(0, 1, 2))
    assert np.corrcoef(within[:, 1:].ravel(), within[:, :-1].ravel())[0, 1] == pytest.approx(0, abs=0.05)
    # ImageNet's mean and standard deviation; clipping at 0 and 255 takes little of either.
    np.testing.assert_allclose(noise.mean(axis=(0, 1, 2)), [123.7, 116.3, 103.5], atol=2)
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), [58.4, 57.1, 57.4], atol=3)


def test_erases_about_a_quarter_of_clips():
    images = erase(black(2000, 12, 12), num_clips=1000, prob=0.25).reshape(1000, 2, 12, 12, 3)
    erased = images.any(axis=(2, 3, 4))
    np.testing.assert_array_equal(erased[:, 0], erased[:, 1])
    assert erased[:, 0].mean() == pytest.approx(0.25, abs=0.04)
    assert RandomErasing().prob == 0.25


def test_each_clip_of_a_sample_has_a_rectangle_of_its_own():
    images = erase(black(4), num_clips=2)
    assert place(images[0]) == place(images[1])
    assert place(images[2]) == place(images[3])
    assert place(images[1]) != place(images[2])


def test_seed_of_numpy_decides():
    np.testing.assert_array_equal(erase(black(2), 3), erase(black(2), 3))
    assert (erase(black(2), 3) != erase(black(2), 4)).any()


@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_input_is_not_touched_and_its_memory_not_shared(prob):
    frames = list(np.random.default_rng(0).integers(0, 256, (2, 20, 24, 3), dtype=np.uint8))
    before = np.stack(frames)
    images = RandomErasing(prob)(dict(imgs=frames))['imgs']
    np.testing.assert_array_equal(np.stack(frames), before)
    assert {(image.shape, image.dtype) for image in images} == {((20, 24, 3), np.dtype(np.uint8))}
    assert not any(np.shares_memory(image, frame) for image in images for frame in frames)
    assert (np.stack(images) == before).all() == (prob == 0)


def test_frames_too_small_for_a_rectangle_stay():
    assert not erase(black(1, 1, 1)).any()


def test_faults_are_clear_errors():
    with pytest.raises(ValueError, match='prob of RandomErasing is 2'):
        RandomErasing(prob=2)
    with pytest.raises(ValueError, match='RandomErasing got a frame of shape'):
        erase([np.zeros((8, 8, 3), np.float32)])
