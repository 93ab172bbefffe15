"""Images as still videos (paper 2.3): loaded, resized and cropped once, repeated in time as a view."""

import mmcv
import torch
from mmcv.transforms import BaseTransform
from mmengine import fileio

from twlv_mm.registry import TRANSFORMS
from twlv_mm.video import VideoError


@TRANSFORMS.register_module()
class ImageDecode(BaseTransform):
    """Load an image as the only frame of a video, for mmaction2's transforms.

    Required keys: filename, a path or URI for mmengine's file backends. Added keys: imgs, a list of one (H, W, 3) uint8
    RGB array, upright; img_shape, original_shape, clip_len (1), num_clips (1).
    """

    def transform(self, results):
        path = results['filename']
        content = fileio.get(path)
        image = mmcv.imfrombytes(content, channel_order='bgr', backend='cv2') if content else None
        if image is None:
            raise VideoError(f'{path} is not a readable image ({len(content)} bytes)')
        shape = image.shape[:2]
        results.update(imgs=[mmcv.bgr2rgb(image)], img_shape=shape, original_shape=shape, clip_len=1, num_clips=1)
        return results


@TRANSFORMS.register_module()
class StillVideo(BaseTransform):
    """Repeat single frames in time, without copying. Goes between FormatShape and PackActionInputs.

    Required keys: imgs (M, C, 1, H, W). Modified keys: imgs, a tensor (M, C, N, H, W); input_shape, clip_len.

    Args:
        num_frames (int): N, frames per clip of the encoder.

    Source: paper 2.3; repeated as in V-JEPA's image classification.
    """

    def __init__(self, num_frames=16):
        self.num_frames = num_frames
        self.choices = dict(frames=num_frames, clips=1)  # for results.json

    def transform(self, results):
        images = torch.as_tensor(results['imgs'])
        if images.ndim != 5 or images.shape[2] != 1:
            raise ValueError(
                f'StillVideo needs (M, C, 1, H, W), single frames, not {tuple(images.shape)}: put '
                "ImageDecode first and FormatShape(input_format='NCTHW') just before it"
            )
        images = images.expand(-1, -1, self.num_frames, -1, -1)
        results.update(imgs=images, input_shape=tuple(images.shape), clip_len=self.num_frames)
        return results
