"""What the hooks share that draw what a test finds: when they draw, and where to."""

from mmengine.hooks import Hook


class DrawingHook(Hook):
    """Draw samples of a test. A task's hook says how, in :meth:`draw_sample`.

    Args:
        enable (bool): Whether to draw.
        out_dir (str, optional): Folder to draw to; needed where it draws.
        interval (int): Draw every n-th sample; each process counts its own.
        show (bool): Refused: pictures are files.
        wait_time (float): What tools/test.py has for windows; without effect.

    Raises:
        ValueError: if ``show`` is asked for, there is no ``out_dir``, or ``interval`` is less than 1.
    """

    def __init__(self, enable=False, out_dir=None, interval=1, show=False, wait_time=2):
        if show:
            raise ValueError('pictures are files, there is no window for them: use --show-dir DIR instead of --show')
        if enable and out_dir is None:
            raise ValueError(f'{type(self).__name__} does not know where to draw: set out_dir, or --show-dir DIR')
        if interval < 1:
            raise ValueError(f'interval is {interval}; it has to be 1 or more (--interval)')
        self.enable = enable
        self.out_dir = out_dir
        self.interval = interval

    def draw_sample(self, sample, classes, data_batch, place):
        """Draw a sample.

        Args:
            sample (ActionDataSample): What the model returned.
            classes (Sequence[str]): Names of the classes.
            data_batch (dict): What the model was given.
            place (int): The sample's place in it.
        """
        raise NotImplementedError

    def before_test(self, runner):
        """Begin to count."""
        self._seen = 0

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Draw samples of a batch.

        Args:
            runner (Runner): Its test data set knows the names of the classes.
            batch_idx (int): Not used.
            data_batch (dict): What the model was given.
            outputs (list[ActionDataSample]): What the model returned.
        """
        if not self.enable:
            return
        for place, sample in enumerate(outputs):
            if self._seen % self.interval == 0:
                classes = runner.test_dataloader.dataset.metainfo['classes']
                self.draw_sample(sample, classes, data_batch, place)
            self._seen += 1
