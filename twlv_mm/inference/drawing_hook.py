"""Base classes of the hooks that draw what a test finds."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from twlv_mm.records import path_below

from .frames import VideoStrips


class DrawingHook(Hook):
    """Draw samples of a test; subclasses implement ``draw_sample(sample, classes, data_batch, place)``.

    It gets a sample that the model returned, the class names, and the batch and the index in it that the sample is of.

    Args:
        enable (bool): Whether to draw.
        out_dir (str, optional): Folder to draw to; needed if ``enable``.
        interval (int): Draw every n-th sample; each process counts its own.
        show, wait_time: Of tools/test.py, for windows; ``show`` is refused, as pictures are files.
    """

    def __init__(self, enable=False, out_dir=None, interval=1, show=False, wait_time=2):
        if show:
            raise ValueError('pictures are written to files, not shown: use --show-dir DIR instead of --show')
        if enable and out_dir is None:
            raise ValueError(f'{type(self).__name__} has no folder to draw to: set out_dir, or --show-dir DIR')
        if interval < 1:
            raise ValueError(f'interval is {interval}; it must be 1 or more (--interval)')
        self.enable = enable
        self.out_dir = out_dir
        self.interval = interval

    def before_test(self, runner):
        self._seen = 0

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if not self.enable:
            return
        for place, sample in enumerate(outputs):
            if self._seen % self.interval == 0:
                classes = runner.test_dataloader.dataset.metainfo['classes']
                self.draw_sample(sample, classes, data_batch, place)
            self._seen += 1


class VideoDrawingHook(DrawingHook):
    """Draw the videos of a test as timelines, ``<out_dir>/<video_id>.png``.

    Subclasses implement ``draw(path, sample, classes, strip)``; strip has frames and frame_times, or is empty.

    Args:
        videos (str, optional): The video files, see :class:`VideoStrips`, whose frames are drawn above the timelines.
            The log counts videos without a readable file.
        *args, **kwargs: See :class:`DrawingHook`; a sample is a video.
    """

    def __init__(self, *args, videos=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.videos = videos

    def before_test(self, runner):
        super().before_test(runner)
        if self.enable:
            self._strips = VideoStrips(self.videos)

    def draw_sample(self, sample, classes, data_batch, place):
        path = path_below(self.out_dir, f'{sample.video_id}.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        self.draw(path, sample, classes, self._strips(sample.video_id))

    def after_test_epoch(self, runner, metrics=None):
        if not self.enable:
            return
        failures = [one for process in all_gather_object(self._strips.failures) for one in process]
        runner.logger.info(f'Timelines of the videos are in {self.out_dir}')
        if failures:
            video_id, reason = failures[0]
            runner.logger.warning(
                f'{len(failures)} timelines in {self.out_dir} have no frames, the first that of {video_id}: {reason}'
            )
