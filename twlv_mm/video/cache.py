"""An mmaction2 transform that decodes the videos of a small set once, not in every epoch."""

from mmcv.transforms import BaseTransform, Compose

from twlv_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CachedFrames(BaseTransform):
    """Apply transforms that draw nothing at random, and keep the frames they give for the next time.

    For sets that fit in memory: 3,000 clips of 16 frames of 32 x 32 pixels take 150 MB. Every worker process has a
    cache of its own and loses it when it ends, so use it with ``num_workers=0``.

    Required keys: filename, img_key where items are keyframes of files, and what the transforms require. Modified keys:
    what the transforms modify; imgs come as a list of (H, W, C) arrays of which each call gets its own copy.

    Args:
        transforms (list[dict]): From the opening of a video to frames of their last size: OpenVideo, sampling without
            randomness, DecodeVideo, Resize.
    """

    def __init__(self, transforms):
        self.transforms = Compose(transforms)
        self._made = {}

    def transform(self, results):
        """See the class."""
        name = results['filename'], results.get('img_key')
        if name not in self._made:
            made = self.transforms(dict(results))
            changed = [key for key in made if key not in results or made[key] is not results[key]]
            self._made[name] = {key: made[key] for key in changed}
        made = self._made[name]
        return results | made | dict(imgs=[image.copy() for image in made['imgs']])
