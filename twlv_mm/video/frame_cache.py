"""An mmaction2 transform that decodes the videos of a small dataset once, not in every epoch."""

from mmcv.transforms import BaseTransform, Compose

from twlv_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CachedFrames(BaseTransform):
    """Apply deterministic transforms and keep the frames for the next epoch.

    For sets that fit in memory: 3,000 clips of 16 frames of 32 x 32 pixels take 150 MB. Every worker process has its
    own cache and loses it when it ends, so use it with ``num_workers=0``.

    Required keys: filename, img_key where items are keyframes of files, and those of the transforms. Modified keys:
    those of the transforms; imgs is a list of (H, W, C) arrays, copied for each call.

    Args:
        transforms (list[dict]): From opening a video to frames of their final size: OpenVideo, sampling without
            randomness, DecodeVideo, Resize.
    """

    def __init__(self, transforms):
        self.transforms = Compose(transforms)
        self._made = {}

    def transform(self, results):
        name = results['filename'], results.get('img_key')
        if name not in self._made:
            made = self.transforms(dict(results))
            changed = [key for key in made if key not in results or made[key] is not results[key]]
            self._made[name] = {key: made[key] for key in changed}
        made = self._made[name]
        return results | made | dict(imgs=[image.copy() for image in made['imgs']])
