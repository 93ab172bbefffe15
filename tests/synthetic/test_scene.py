"""What generated videos show, and that neither a frame nor the set of frames gives the motion away."""

import numpy as np
import pytest

from twlv_mm.synthetic import APPEARANCES, MOTIONS, OPPOSITES, Actor, background, motion_path

GREY = (120, 120, 120)


def canvas(height=64, width=64):
    return np.full((height, width, 3), GREY, np.uint8)


def drawn(actor, *pose):
    frame = canvas()
    return frame, actor.draw(frame, *pose)


@pytest.mark.parametrize('motion', MOTIONS)
def test_motion_played_backwards_is_its_opposite(motion):
    there = motion_path(motion, 16, np.random.default_rng(3))
    back = motion_path(OPPOSITES[motion], 16, np.random.default_rng(3))
    for name, values in there.items():
        np.testing.assert_allclose(values[::-1], back[name], err_msg=name)
    assert any(not np.allclose(there[name], back[name]) for name in there)


def test_half_way_all_motions_are_in_the_same_place_at_the_same_size_and_angle():
    middles = {
        motion: tuple(values[8] for values in motion_path(motion, 17, np.random.default_rng(5)).values())
        for motion in MOTIONS
    }
    for motion, middle in middles.items():
        np.testing.assert_allclose(middle, middles['left'], err_msg=motion)


@pytest.mark.parametrize(
    ('motion', 'name', 'sign'),
    [('right', 'x', 1), ('left', 'x', -1), ('down', 'y', 1), ('up', 'y', -1), ('growing', 'scale', 1),
     ('shrinking', 'scale', -1), ('clockwise', 'angle', 1), ('counter_clockwise', 'angle', -1)],
)  # fmt: skip
def test_motions_are_what_their_names_say(motion, name, sign):
    path = motion_path(motion, 16, np.random.default_rng(0))
    assert (np.diff(path.pop(name)) * sign > 0).all()
    for other, values in path.items():
        assert np.ptp(values) == 0, other


def test_clockwise_is_clockwise_on_the_screen():
    actor = Actor('halved_bar', np.random.default_rng(0), 'train')
    _, (x1, y1, x2, y2) = drawn(actor, 32, 32, 24, 0)
    assert x2 - x1 > y2 - y1
    frame, _ = drawn(actor, 32, 32, 24, 45)  # the right end goes down
    changed = (frame != GREY).any(axis=2)
    assert changed[40:, 40:].sum() > 20
    assert changed[:24, 40:].sum() == 0


@pytest.mark.parametrize('appearance', APPEARANCES)
def test_box_is_tight_and_area_is_the_scale_squared(appearance):
    rng = np.random.default_rng(1)
    actor = Actor(appearance, rng, 'test')
    actor.grain[:] = 0
    actor.colours = np.float32([[255] * 3] * 2)
    for _ in range(20):
        x, y, scale, angle = rng.uniform(28, 36), rng.uniform(28, 36), rng.uniform(14, 22), rng.uniform(0, 360)
        frame = np.zeros((64, 64, 3), np.uint8)
        box = actor.draw(frame, x, y, scale, angle)
        coverage = frame[..., 0] / 255
        assert coverage.sum() == pytest.approx(scale**2, rel=0.08)
        assert (coverage * (np.arange(64) + 0.5)).sum() / coverage.sum() == pytest.approx(x, abs=0.2)
        rows, columns = (np.flatnonzero((coverage > 0.5).any(axis=axis)) for axis in (1, 0))
        assert box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def test_box_is_clipped_and_none_outside():
    actor = Actor('framed_square', np.random.default_rng(0), 'train')
    assert drawn(actor, 0, 32, 20, 0)[1][0] == 0
    frame, box = drawn(actor, -60, 32, 20, 0)
    assert box is None
    assert (frame == GREY).all()


@pytest.mark.parametrize('appearance', APPEARANCES)
def test_two_colours_share_the_actor_evenly(appearance):
    actor = Actor(appearance, np.random.default_rng(0), 'train')
    actor.grain[:] = 0
    actor.colours = np.float32([255, 0, 0]), np.float32([0, 0, 255])
    frame = np.zeros((128, 128, 3), np.uint8)
    actor.draw(frame, 64, 64, 50, 20)
    red, _, blue = frame.sum(axis=(0, 1), dtype=float)
    assert red / (red + blue) == pytest.approx(0.5, abs=0.04)


def test_train_and_test_share_no_hue():
    def hues(split):
        rng = np.random.default_rng(0)
        actors = [Actor(APPEARANCES[0], rng, split) for _ in range(200)]
        return {hue_degree(colour) // 20 for actor in actors for colour in actor.colours}

    assert not hues('train') & hues('test')


def hue_degree(colour):
    import colorsys

    return int(360 * colorsys.rgb_to_hsv(*(colour / 255))[0])


def test_background_is_smooth_and_drifts_slowly_whatever_its_length():
    frames = background(np.random.default_rng(0), 'train', (48, 80), 400).astype(int)
    assert frames.shape == (400, 48, 80, 3)
    assert 0 < np.abs(np.diff(frames, axis=0)).max() < 40
    assert np.abs(np.diff(frames, axis=2)).max() < 40
    assert np.abs(frames[-1] - frames[0]).max() > 20


def test_unknown_names_are_refused_with_the_known_ones():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="unknown motion 'sideways'; choose from left, right"):
        motion_path('sideways', 8, rng)
    with pytest.raises(ValueError, match="unknown appearance 'round'"):
        Actor('round', rng, 'train')
    with pytest.raises(ValueError, match="unknown split 'val'; choose from train, test"):
        background(rng, 'val')
