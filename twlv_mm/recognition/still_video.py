"""Images as still videos (paper 2.3): loaded, resized and cropped once, repeated as a view."""

import mmcv
import torch
from mmcv.transforms import BaseTransform
from mmengine import fileio

from twlv_mm.registry import TRANSFORMS
from twlv_mm.video import VideoError


@TRANSFORMS.register_module()
class ImageDecode(BaseTransform):
    """Load an image as the one frame of a video, for mmaction2's transforms.

    Required keys: filename, a path or what one of mmengine's file backends reads. Added keys: imgs, a list of one
    (H, W, 3) uint8 RGB array, upright; img_shape, original_shape, clip_len (1), num_clips (1).
    """

    def transform(self, results):
        """See the class."""
        path = results['filename']
        content = fileio.get(path)
        image = mmcv.imfrombytes(content, channel_order='bgr', backend='cv2') if content else None
        if image is None:
            raise VideoError(f'{path} is no image that can be read ({len(content)} bytes)')
        shape = image.shape[:2]
        results.update(imgs=[mmcv.bgr2rgb(image)], img_shape=shape, original_shape=shape, clip_len=1, num_clips=1)
        return results


@TRANSFORMS.register_module()
class StillVideo(BaseTransform):
    """Repeat single frames in time, as a view that takes no memory. Goes between FormatShape and PackActionInputs.

    Required keys: imgs (M, C, 1, H, W). Modified keys: imgs, a tensor (M, C, N, H, W); input_shape, clip_len.

    Args:
        num_frames (int): N, frames that the encoder takes.

    Source: paper 2.3, where images test encoders of videos; repeated as V-JEPA's image classification does.
    """

    def __init__(self, num_frames=16):
        self.num_frames = num_frames
        self.choices = dict(frames=num_frames, clips=1)  # for results.json

    def transform(self, results):
        """See the class."""
        images = torch.as_tensor(results['imgs'])
        if images.ndim != 5 or images.shape[2] != 1:
            raise ValueError(
                f'StillVideo needs (M, C, 1, H, W), single frames, not {tuple(images.shape)}: put '
                "ImageDecode first and FormatShape(input_format='NCTHW') just before it"
            )
        images = images.expand(-1, -1, self.num_frames, -1, -1)
        results.update(imgs=images, input_shape=tuple(images.shape), clip_len=self.num_frames)
        return results
