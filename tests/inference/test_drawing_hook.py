"""Pictures of videos stay in the folder that they are meant for."""

from types import SimpleNamespace

import pytest

from twlv_mm.inference import VideoDrawingHook


class Touch(VideoDrawingHook):
    def draw(self, path, sample, classes, strip):
        path.touch()


def test_picture_of_a_video_in_folders_has_them_made(tmp_path):
    hook = Touch(enable=True, out_dir=str(tmp_path))
    hook.before_test(None)
    hook.draw_sample(SimpleNamespace(video_id='P03/cam01/a..b'), [], {}, 0)
    assert (tmp_path / 'P03/cam01/a..b.png').is_file()


@pytest.mark.parametrize('video_id', ['../evil', 'a/../../evil', '/{}/evil'])
def test_picture_of_a_video_whose_id_leads_elsewhere_is_not_drawn(video_id, tmp_path):
    hook = Touch(enable=True, out_dir=str(tmp_path / 'deep/out'))
    hook.before_test(None)
    with pytest.raises(ValueError, match=r'evil\.png. leads out of .*deep/out'):
        hook.draw_sample(SimpleNamespace(video_id=video_id.format(tmp_path)), [], {}, 0)
    assert not list(tmp_path.rglob('*.png'))
