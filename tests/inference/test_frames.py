"""Frames of videos by id."""

from twlv_mm.inference.frames import VideoStrips


def test_id_that_fits_two_files_is_a_failure_that_names_both(tmp_path):
    for name in ('x/a.mp4', 'y/a.mp4'):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    strips = VideoStrips(tmp_path)
    assert strips('a') == {}
    assert strips.failures == [('a', f'it matches several files: {tmp_path}/x/a.mp4 and {tmp_path}/y/a.mp4')]
