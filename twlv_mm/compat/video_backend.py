"""mmaction2's LocalVisBackend writes videos and gifs with ``moviepy.editor``, which moviepy 2 removed.

Without that module, PyAV writes the mp4 and Pillow the gif. As upstream does, both take BGR frames: ActionVisualizer
passes BGR for a video file, whatever the docstring of ``add_video`` says.
"""

import functools
from fractions import Fraction
from pathlib import Path

import numpy as np
import wrapt
from mmengine.visualization.vis_backend import force_init_env

from twlv_mm.records import writing

from ._modules import is_installed


def apply():
    """Make ``LocalVisBackend.add_video`` write ``out_type='video'`` and ``'gif'`` without moviepy."""
    if not is_installed('moviepy.editor'):
        wrapt.register_post_import_hook(_patch, 'mmaction.visualization.video_backend')


def _patch(module):
    upstream = module.LocalVisBackend.add_video
    if getattr(upstream, 'writes_without_moviepy', False):
        return

    @force_init_env
    @functools.wraps(upstream)
    def add_video(self, name, frames, step=0, fps=4, out_type='img', **kwargs):
        if out_type == 'img':
            return upstream(self, name, frames, step=step, fps=fps, out_type=out_type, **kwargs)
        if out_type not in WRITERS:
            raise ValueError(f"out_type is {out_type!r}; it must be 'img', 'gif' or 'video'.")
        suffix, write = WRITERS[out_type]
        path = Path(self._save_dir, name).with_suffix(suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        return write(path, np.stack([frame[..., ::-1] for frame in frames]), fps)

    add_video.writes_without_moviepy = True
    module.LocalVisBackend.add_video = add_video


def write_mp4(path, frames, fps):
    """Write (T, H, W, 3) uint8 RGB frames as H.264, padding odd sides by one repeated pixel as 4:2:0 colour needs.

    Not ``twlv_mm.video.write_video``, because this package is imported before mmcv and so before ``twlv_mm.video``.
    """
    import av

    height, width = frames.shape[1:3]
    frames = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode='edge')
    with writing(path) as file, av.open(file, 'w', format='mp4') as container:
        stream = container.add_stream('libx264', rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], 'yuv420p'
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())


def write_gif(path, frames, fps):
    """Write (T, H, W, 3) uint8 RGB frames as an endless gif; it stores times in hundredths of a second."""
    from PIL import Image

    first, *others = [Image.fromarray(frame) for frame in frames]
    with writing(path) as file:
        first.save(file, 'gif', save_all=True, append_images=others, duration=1000 / fps, loop=0)


WRITERS = {'video': ('.mp4', write_mp4), 'gif': ('.gif', write_gif)}
