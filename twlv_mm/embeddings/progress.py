"""Progress of an extraction: a bar on a terminal, lines elsewhere."""

import time

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from twlv_mm.records.checks import printable

SECONDS_BETWEEN_LINES = 30


def track(items, description, total=None):
    """Yield items while a bar on standard error shows how many there have been; standard output is for results."""
    return rich.progress.track(items, description, total, console=Console(stderr=True))


class ExtractionProgress:
    """Shows throughput, the share of time spent waiting for frames, and failures.

    Args:
        total (int): Videos to embed.
        shown (bool): False for all processes but the first.
        console (rich.console.Console, optional): Standard output if None.
    """

    def __init__(self, total, shown=True, console=None):
        self._console = console or Console(soft_wrap=True, highlight=False, markup=False, quiet=not shown)
        self._total = total
        self._videos = self._clips = self._failed = 0
        self._start = self._last_line = time.perf_counter()
        self._bar = None
        if self._console.is_terminal:
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn('{task.description}'), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task('', total=total)

    def __enter__(self):
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_):
        if self._bar:
            self._bar.stop()

    def note(self, text):
        self._console.print(text)

    def leave_out(self):
        """Subtract a video that another process has embedded."""
        self._total -= 1
        if self._bar:
            self._bar.update(self._task, total=self._total)

    def advance(self, num_clips, waiting_seconds, failure=None):
        """Count a video as done.

        Args:
            num_clips (int): Its clips.
            waiting_seconds (float | None): Total time spent waiting for frames; None if unknown.
            failure (str, optional): Why it failed; printed at once.
        """
        self._videos += 1
        self._clips += num_clips
        self._failed += failure is not None
        if failure is not None:
            self._console.print(printable(f'failed: {failure}'))
        seconds = time.perf_counter() - self._start
        text = f'{self._videos / seconds:.2f} videos/s, {self._clips / seconds:.1f} clips/s, '
        if waiting_seconds is not None:
            text += f'{100 * waiting_seconds / seconds:.0f} % of the time waiting for frames, '
        text += f'{self._failed} failed'
        if self._bar:
            self._bar.update(self._task, advance=1, description=text)
        elif time.perf_counter() - self._last_line >= SECONDS_BETWEEN_LINES or self._videos == self._total:
            self._last_line = time.perf_counter()
            self._console.print(f'{self._videos}/{self._total} videos: {text}')
