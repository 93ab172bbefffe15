"""Sharing of videos between processes that embed into one folder at the same time."""

import fcntl
import hashlib
import os
import time
from collections import deque

from twlv_mm.records.files import open_own

CLAIMS = '.claims'
SECONDS_BETWEEN_LOOKS = 0.5


class Claims:
    """The videos of a folder that this process is embedding and no other may embed meanwhile.

    A claim locks one byte of a file at an offset computed from the video id; the system releases it if the process
    dies. The locks belong to the process: two runs within one process would not exclude each other.

    Args:
        folder (str | Path): An embedding folder.
    """

    def __init__(self, folder):
        self._descriptor = open_own(os.path.join(folder, CLAIMS), os.O_RDWR)

    def take(self, video_id):
        """Claim a video; False if another process has it."""
        return self._lock(1, _place(video_id))

    def release(self, video_id):
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _place(video_id))

    def take_all(self):
        """Claim all possible videos; False if another process has any."""
        return self._lock(0, 0)

    def close(self):
        os.close(self._descriptor)

    def _lock(self, length, start):
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True


def extraction_note(folder):
    """A sentence for messages on missing videos if an extraction into the folder is running, else ''."""
    try:
        descriptor = os.open(os.path.join(folder, CLAIMS), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ''
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return ' An extraction into the folder is running.'
    except OSError:  # a file system without locks
        return ''
    finally:
        os.close(descriptor)
    return ''


class SharedVideos:
    """The videos of a run, shared with other processes that embed into the same folders.

    Iterating claims one video after another, skipping those of other processes, which are left for the next round.

    Args:
        videos (list[Video]): Not yet embedded.
        stores (list[Store]): Where they are written, one per view.

    Attributes:
        taken (list[Video]): Claimed in this round, in order.
        settled (deque[tuple[Video, dict | None]]): Videos that other processes finished meanwhile, with the failure if
            any.
    """

    def __init__(self, videos, stores):
        self._stores = stores
        self._todo, self._held = videos, deque()
        self.taken, self.settled = [], deque()

    def __iter__(self):
        todo, self._todo, self.taken = self._todo, [], []
        for video in todo:
            # Retry one that another process had, or its Parquet part would never be complete.
            for candidate in (video, *([self._held.popleft()] if self._held else [])):
                if self._take(candidate):
                    self.taken.append(candidate)
                    yield candidate

    def wait(self, waiting=lambda count: None):
        """Wait for videos for another round.

        Args:
            waiting (Callable[[int], None]): Called once with the number of videos that other processes hold.

        Returns:
            bool: whether there is another round.
        """
        called = False
        while self._held and not self._todo:
            for _ in range(len(self._held)):
                video = self._held.popleft()
                if self._take(video):
                    self._todo.append(video)
            if self._held and not self._todo:
                if not called:
                    waiting(len(self._held))
                called = True
                time.sleep(SECONDS_BETWEEN_LOOKS)
        return bool(self._todo)

    def take_all(self):
        """Wait until no other process embeds into these folders, and lock them until this process ends."""
        for store in self._stores:
            while not store.claims.take_all():
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def release(self, video):
        for store in self._stores:
            store.claims.release(video.video_id)

    def _take(self, video):
        if not all(store.claims.take(video.video_id) for store in self._stores):
            self.release(video)
            self._held.append(video)
            return False
        # Only after claiming: the previous holder may have just finished it.
        failure = self._stores[0].failures.since_start(video.video_id)
        if failure is None and not all(store.has(video.video_id) for store in self._stores):
            return True
        self.release(video)
        self.settled.append((video, failure))
        return False


def _place(video_id):
    return int.from_bytes(hashlib.blake2b(video_id.encode('utf-8', 'surrogatepass'), digest_size=7).digest(), 'big')
