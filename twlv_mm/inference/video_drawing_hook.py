"""Pictures of a test, one a video: what the hooks of the tasks share."""

from mmengine.dist import all_gather_object

from twlv_mm.records import path_below

from .drawing_hook import DrawingHook
from .video_strips import VideoStrips


class VideoDrawingHook(DrawingHook):
    """Draw the videos of a test as timelines, ``<out_dir>/<video_id>.png``. A task's hook says how, in :meth:`draw`.

    Args:
        *args: Those of :class:`DrawingHook`, with a video for a sample.
        videos (str, optional): The video files, as for :class:`VideoStrips`; their frames stand above the timelines. A
            log line counts the videos without a file that can be read. Without it, no frames.
        **kwargs: Those of DrawingHook.

    Raises:
        FileNotFoundError: before a test, if there are no ``videos``.
        ValueError: as DrawingHook; in a test, if the id of a video leads out of ``out_dir``.
    """

    def __init__(self, *args, videos=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.videos = videos

    def draw(self, path, sample, classes, strip):
        """Draw a video.

        Args:
            path (Path): The picture, in a folder that exists.
            sample (ActionDataSample): What the model returned.
            classes (Sequence[str]): Names of the classes.
            strip (dict): frames and frame_times, or empty.
        """
        raise NotImplementedError

    def before_test(self, runner):
        """Find the video files."""
        super().before_test(runner)
        if self.enable:
            self._strips = VideoStrips(self.videos)

    def draw_sample(self, sample, classes, data_batch, place):
        """See :class:`DrawingHook`."""
        path = path_below(self.out_dir, f'{sample.video_id}.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        self.draw(path, sample, classes, self._strips(sample.video_id))

    def after_test_epoch(self, runner, metrics=None):
        """Say where the pictures are, and how many lack their frames."""
        if not self.enable:
            return
        failures = [one for process in all_gather_object(self._strips.failures) for one in process]
        runner.logger.info(f'Timelines of the videos are in {self.out_dir}')
        if failures:
            video_id, reason = failures[0]
            runner.logger.warning(
                f'{len(failures)} timelines in {self.out_dir} have no frames, the first that of {video_id}: {reason}'
            )
