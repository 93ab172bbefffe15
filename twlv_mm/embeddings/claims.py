"""Several processes that embed videos into one folder at once: each video is embedded by one of them."""

import fcntl
import hashlib
import os
import time
from collections import deque

from twlv_mm.records.files import open_own

CLAIMS = '.claims'
SECONDS_BETWEEN_LOOKS = 0.5


class Claims:
    """The videos of a folder that this process is embedding, which no other process may embed meanwhile.

    A claim locks one byte of a file, at a place computed from the video's id. The system releases it if the process
    dies. (These locks belong to the process: two runs in one process would not notice each other.)

    Args:
        folder (str | Path): An embedding folder.
    """

    def __init__(self, folder):
        self._descriptor = open_own(os.path.join(folder, CLAIMS), os.O_RDWR)

    def take(self, video_id):
        """Claim a video; False if another process has it."""
        return self._lock(1, _place(video_id))

    def release(self, video_id):
        """Give a video back."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _place(video_id))

    def take_all(self):
        """Claim every video there could be; False if another process has any."""
        return self._lock(0, 0)

    def close(self):
        """Give everything back."""
        os.close(self._descriptor)

    def _lock(self, length, start):
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True


def going_on(folder):
    """Say that videos are being embedded into a folder, for messages on those that are missing.

    Args:
        folder (str | Path): An embedding folder.

    Returns:
        str: a sentence after a space; empty where no process does that.
    """
    try:
        descriptor = os.open(os.path.join(folder, CLAIMS), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ''
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return ' An extraction into the folder is going on.'
    except OSError:  # a file system without locks
        return ''
    finally:
        os.close(descriptor)
    return ''


class SharedVideos:
    """The videos of a run, shared with whoever else embeds into the same folders.

    Iterating claims one video after the other and passes over those that other processes have, which are left for the
    next round.

    Args:
        videos (list[Video]): Not yet embedded.
        stores (list[Store]): What they are written to, one a view.

    Attributes:
        taken (list[Video]): Claimed in this round, in order.
        settled (deque[tuple[Video, dict | None]]): Videos that other processes have settled meanwhile, with the
            failure of those that failed.
    """

    def __init__(self, videos, stores):
        self._stores = stores
        self._todo, self._held = videos, deque()
        self.taken, self.settled = [], deque()

    def __iter__(self):
        todo, self._todo, self.taken = self._todo, [], []
        for video in todo:
            # One that another process had before is looked at again now and then, or its part would never be whole.
            for candidate in (video, *([self._held.popleft()] if self._held else [])):
                if self._take(candidate):
                    self.taken.append(candidate)
                    yield candidate

    def wait(self, waiting=lambda count: None):
        """Wait until there are videos to take for a further round, or none is left.

        Args:
            waiting (Callable[[int], None]): Called once with the number of videos that other processes have.

        Returns:
            bool: whether there is a further round.
        """
        told = False
        while self._held and not self._todo:
            for _ in range(len(self._held)):
                video = self._held.popleft()
                if self._take(video):
                    self._todo.append(video)
            if self._held and not self._todo:
                if not told:
                    waiting(len(self._held))
                told = True
                time.sleep(SECONDS_BETWEEN_LOOKS)
        return bool(self._todo)

    def take_all(self):
        """Wait until no other process embeds into these folders, and keep others from it until this one ends."""
        for store in self._stores:
            while not store.claims.take_all():
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def release(self, video):
        """A video is settled."""
        for store in self._stores:
            store.claims.release(video.video_id)

    def _take(self, video):
        if not all(store.claims.take(video.video_id) for store in self._stores):
            self.release(video)
            self._held.append(video)
            return False
        # Only now: before, whoever had it may have been about to finish it.
        failure = self._stores[0].failures.since_start(video.video_id)
        if failure is None and not all(store.has(video.video_id) for store in self._stores):
            return True
        self.release(video)
        self.settled.append((video, failure))
        return False


def _place(video_id):
    return int.from_bytes(hashlib.blake2b(video_id.encode('utf-8', 'surrogatepass'), digest_size=7).digest(), 'big')
