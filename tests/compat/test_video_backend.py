import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from twlv_mm.compat.video_backend import write_mp4

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


@pytest.fixture
def backend(tmp_path):
    from mmaction.visualization import LocalVisBackend

    return LocalVisBackend(save_dir=str(tmp_path))


def frames(height=32, width=48):
    """Four frames in BGR, as ActionVisualizer hands them over: left red, right green, then blue."""
    image = np.empty((height, width, 3), np.uint8)
    image[:, : width // 2], image[:, width // 2 :] = RED, GREEN
    return np.stack([image, image, np.full_like(image, BLUE), np.full_like(image, BLUE)])[..., ::-1]


def read_mp4(path):
    with av.open(str(path)) as container:
        images = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
        return np.stack(images), container.streams.video[0].average_rate


def assert_colours(images):
    assert len(images) == 4
    for frame, left, right in [(0, RED, GREEN), (1, RED, GREEN), (2, BLUE, BLUE), (3, BLUE, BLUE)]:
        np.testing.assert_allclose(images[frame][8, 8], left, atol=25)
        np.testing.assert_allclose(images[frame][8, -8], right, atol=25)


def test_mp4_has_the_frames_in_their_colours(backend, tmp_path):
    backend.add_video('clip', frames(), fps=4, out_type='video')
    images, fps = read_mp4(tmp_path / 'clip.mp4')
    assert images.shape == (4, 32, 48, 3)
    assert fps == 4
    assert_colours(images)


def test_gif_has_the_frames_in_their_colours(backend, tmp_path):
    images = frames()
    images[1] = images[0] // 2  # Pillow merges equal frames
    images[3] = images[2] // 2
    backend.add_video('folder/clip.mp4', images, fps=5, out_type='gif')
    with Image.open(tmp_path / 'folder' / 'clip.gif') as gif:
        read = [(np.array(frame.convert('RGB')), frame.info['duration']) for frame in ImageSequence.Iterator(gif)]
    assert [duration for _, duration in read] == [200] * 4
    np.testing.assert_allclose(read[0][0][8, 8], RED, atol=25)
    np.testing.assert_allclose(read[0][0][8, -8], GREEN, atol=25)
    np.testing.assert_allclose(read[2][0][8, 8], BLUE, atol=25)


def test_odd_sides_are_written(backend, tmp_path):
    backend.add_video('odd', frames(33, 47), out_type='video')
    images, _ = read_mp4(tmp_path / 'odd.mp4')
    assert images.shape == (4, 34, 48, 3)
    assert_colours(images)


def test_other_output_type_is_refused(backend):
    with pytest.raises(ValueError, match="'avi'"):
        backend.add_video('clip', frames(), out_type='avi')


def test_visualizer_copies_a_video_file_in_its_colours(tmp_path):
    from mmaction.visualization import ActionVisualizer

    write_mp4(tmp_path / 'source.mp4', frames(240, 320)[..., ::-1], fps=4)
    visualizer = ActionVisualizer(vis_backends=[{'type': 'mmaction.LocalVisBackend'}], save_dir=str(tmp_path))
    visualizer.add_datasample('copy', str(tmp_path / 'source.mp4'), out_type='video')
    (copy,) = tmp_path.rglob('copy.mp4')
    images, _ = read_mp4(copy)
    for frame, colour in [(0, RED), (2, BLUE)]:
        np.testing.assert_allclose(images[frame][200, 20], colour, atol=25)
