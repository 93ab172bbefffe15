"""Pictures of a test: what was found in a video beneath what was annotated."""

from pathlib import Path

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from twlv_mm.embeddings import find_videos
from twlv_mm.engine import read_strip
from twlv_mm.registry import HOOKS
from twlv_mm.video import VideoError

from .inferencer import STRIP_FRAMES


@HOOKS.register_module()
class LocalizationVisualizationHook(Hook):
    """Draw the videos of a test as timelines, ``<out_dir>/<video_id>.png``: predictions beneath the annotated actions.

    tools/test.py --show-dir DIR turns it on. In a config::

        default_hooks = dict(
            visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos='data/thumos14/videos/test'))

    Args:
        enable (bool): Whether to draw.
        out_dir (str, optional): Folder to draw to; needed where it draws.
        interval (int): Draw every n-th video; each process counts its own.
        show (bool): Refused: pictures are files.
        wait_time (float): What tools/test.py has for windows; without effect.
        videos (str, optional): The video files, as for :func:`twlv_mm.embeddings.find_videos`; their frames stand above
            the timelines. A log line counts the videos without a file that can be read. Without it, no frames.
        min_score (float): Least score of predictions that are drawn.

    Raises:
        FileNotFoundError: before a test, if there are no ``videos``.
        ValueError: if ``show`` is asked for, there is no ``out_dir``, or ``interval`` is less than 1.
    """

    def __init__(self, enable=False, out_dir=None, interval=1, show=False, wait_time=2, videos=None, min_score=0.05):
        if show:
            raise ValueError('timelines are files, there is no window for them: use --show-dir DIR instead of --show')
        if enable and out_dir is None:
            raise ValueError(
                'LocalizationVisualizationHook does not know where to draw: set out_dir, or --show-dir DIR'
            )
        if interval < 1:
            raise ValueError(f'interval is {interval}; it has to be 1 or more (--interval)')
        self.enable = enable
        self.out_dir = out_dir
        self.interval = interval
        self.videos = videos
        self.min_score = min_score

    def before_test(self, runner):
        """Find the video files."""
        if self.enable:
            self._files = {video.video_id: video.path for video in find_videos(self.videos)} if self.videos else {}
            self._seen, self._frameless = 0, []

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Draw the videos of a batch.

        Args:
            runner (Runner): Its test data set knows the names of the classes.
            batch_idx (int): Not used.
            data_batch (Any): Not used.
            outputs (list[ActionDataSample]): Each with ``pred_instances`` in seconds and ``gt_instances`` in steps.
        """
        if not self.enable:
            return
        for sample in outputs:
            if self._seen % self.interval == 0:
                self._draw(sample, runner.test_dataloader.dataset.metainfo['classes'])
            self._seen += 1

    def after_test_epoch(self, runner, metrics=None):
        """Say where the pictures are, and how many lack their frames."""
        if not self.enable:
            return
        frameless = [one for process in all_gather_object(self._frameless) for one in process]
        runner.logger.info(f'Timelines of the videos are in {self.out_dir}')
        if frameless:
            video_id, reason = frameless[0]
            runner.logger.warning(
                f'{len(frameless)} timelines in {self.out_dir} have no frames, the first that of {video_id}: {reason}'
            )

    def _draw(self, sample, classes):
        # Not before it draws: this chooses matplotlib's backend for files, and other tasks may need a window.
        from twlv_mm.visualization import draw_timeline

        found, true = sample.pred_instances, sample.gt_instances
        found = found[found.scores >= self.min_score]
        predictions = _actions(found.segments, found.labels, classes)
        for action, score in zip(predictions, found.scores.tolist(), strict=True):
            action['score'] = score
        truth = _actions(sample.origin + true.segments * sample.step, true.labels, classes)
        path = Path(self.out_dir, f'{sample.video_id}.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        strip = self._read_strip(sample.video_id) if self.videos else ()
        draw_timeline(path, sample.duration, predictions, truth, *strip, classes=classes, title=sample.video_id)

    def _read_strip(self, video_id):
        # ActivityNet's files have v_ before the id.
        names = video_id, f'v_{video_id}', video_id.removeprefix('v_')
        path = next((self._files[name] for name in names if name in self._files), None)
        try:
            if path is None:
                raise FileNotFoundError(f'it is not among the {len(self._files)} videos of {self.videos}')
            return read_strip(path, STRIP_FRAMES)
        except (VideoError, FileNotFoundError) as error:
            self._frameless.append((video_id, str(error)))
            return ()


def _actions(segments, labels, classes):
    return [
        dict(label=classes[label], start=start, end=end)
        for (start, end), label in zip(segments.tolist(), labels.tolist(), strict=True)
    ]
