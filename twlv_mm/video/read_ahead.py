"""Videos read ahead of their use, in worker processes that may hang or die without harm."""

import multiprocessing
import queue
import signal
import threading
from typing import NamedTuple

import numpy as np

from .errors import ReadFault, reason
from .opening import check_decoder, open_video
from .stream import FrameStream, stream_frames

CHUNKS_AHEAD = 8  # decoded chunks that wait for their use, a worker


def read_ahead(paths, sampling, *, workers, decoder=None, timeout=120.0):
    """Read videos one after another, the next ones while the present one is in use.

    A worker is a process with one decoding thread. One that hangs is killed, and one that dies is replaced; the videos
    that they read fail.

    Args:
        paths (Iterable[str | Segment]): Video files, or stretches of them.
        sampling (ClipSampling): The clips that are wanted of each.
        workers (int): Worker processes; with 0 videos are read in this process, which a hanging or crashing decoder
            then takes along.
        decoder (str, optional): As for :func:`open_video`.
        timeout (float): Seconds that a worker may take to open a video or to decode its next chunk of frames.

    Yields:
        FrameStream | ReadFault: for each path in order. A stream has to be used up before the next is taken; taking
        its chunks raises :class:`ReadFault` where the video breaks off.

    Raises:
        RuntimeError: if no worker can be started.
        ValueError: if the decoder is not there.
    """
    check_decoder(decoder)
    if workers == 0:
        for path in paths:
            yield from _read_here(path, sampling, decoder)
        return
    jobs = iter(paths)
    lock, outboxes, closing = threading.Lock(), queue.Queue(maxsize=2 * workers), threading.Event()

    def work(process):
        while True:
            outbox = queue.Queue(maxsize=CHUNKS_AHEAD)
            with lock:  # outboxes are in the order of the paths
                try:
                    path = next(jobs, None)
                except Exception as error:
                    path = None
                    if _put(outboxes, outbox, closing):
                        _put(outbox, error, closing)
                if path is None or not _put(outboxes, outbox, closing):
                    break
            try:
                if not all(_put(outbox, message, closing) for message in process.messages(path)):
                    break
            except Exception as error:  # no fault of the video: the one who reads is to know
                _put(outbox, error, closing)
                break
        process.close()
        _put(outboxes, None, closing)

    processes = [ReaderProcess(sampling, decoder, timeout) for _ in range(workers)]
    threads = [threading.Thread(target=work, args=[process], daemon=True) for process in processes]
    for thread in threads:
        thread.start()
    try:
        ended = 0
        while ended < workers:
            outbox = outboxes.get()
            if outbox is None:
                ended += 1
                continue
            yield _from_messages(iter(outbox.get, None))
    finally:
        closing.set()
        for process in processes:
            process.kill()  # a decoder at work, or hanging, is not waited for
        for thread in threads:
            thread.join()


def _put(target, item, closing):
    """Put an item into a queue as soon as there is room; False if nobody will take it any more."""
    while not closing.is_set():
        try:
            target.put(item, timeout=0.2)
        except queue.Full:
            continue
        return True
    return False


def _read_here(path, sampling, decoder):
    messages = _messages(path, sampling, decoder)
    yield _from_messages(messages)
    messages.close()


def _from_messages(messages):
    first = next(messages)
    if isinstance(first, ReadFault):
        return first
    if isinstance(first, Exception):
        raise first

    def chunks():
        for message in messages:
            if isinstance(message, Exception):
                raise message
            yield message

    return first._replace(chunks=chunks())


def _messages(path, sampling, decoder):
    """A FrameStream without chunks, then each chunk; a ReadFault as soon as something fails."""
    stage = 'open'
    try:
        with open_video(path, decoder) as reader:
            stream = stream_frames(reader, sampling)
            stage = 'decode'
            yield stream._replace(chunks=None)
            yield from stream.chunks
    except Exception as error:  # a video's, whatever its class: the other videos go on
        message = str(error) if isinstance(error, (ValueError, OSError)) else f'{path}: {reason(error)}'
        yield ReadFault(message, stage)


def _serve(connection, sampling, decoder):
    """The worker process: paths in, messages and None out, until its other end is closed."""
    # Ctrl-C reaches all processes of a terminal: what this one reads would count as a video that failed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        connection.send('ready')
        while True:
            for message in _messages(connection.recv(), sampling, decoder):
                if isinstance(message, FrameStream):
                    connection.send(message)
                elif isinstance(message, ReadFault):
                    connection.send((str(message), message.stage))
                else:
                    indices, frames = message
                    connection.send(_Chunk(indices, frames.shape))
                    connection.send_bytes(frames.reshape(-1))
            connection.send(None)
    except (EOFError, ConnectionError):
        pass


class _Chunk(NamedTuple):
    """Announces frames: their numbers and shape."""

    indices: np.ndarray
    shape: tuple


class ReaderProcess:
    """A process that reads one video after the other, with one decoding thread; started when there is one to read.

    Args:
        sampling (ClipSampling): The clips that are wanted of each.
        decoder (str, optional): As for :func:`open_video`.
        timeout (float): Seconds that it may take to open a video or to decode its next chunk of frames.
    """

    def __init__(self, sampling, decoder, timeout):
        self._sampling, self._decoder, self._timeout = sampling, decoder, timeout
        self._process = self._connection = None
        self._present = iter(())

    def stream(self, path):
        """Begin to read a video.

        Args:
            path (str | Segment): A video file, or a stretch of one.

        Returns:
            FrameStream | ReadFault: to be used up before the next is asked for, as :func:`read_ahead` says.
        """
        for _ in self._present:  # its end, at least
            pass
        self._present = iter(self.messages(path).__next__, None)
        return _from_messages(self._present)

    def messages(self, path):
        """What :func:`_messages` yields, then None."""
        try:
            if self._process is None:
                self._start()
            self._connection.send(path)
            while (message := self._receive(path)) is not None:
                yield message
        except ReadFault as fault:  # hung
            self.close()
            yield fault
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            how = f'killed by signal {-code}' if code < 0 else f'with exit code {code}'
            self.close()
            yield ReadFault(f'{path}: the process that decoded it died ({how})', 'crash')
        yield None

    def _receive(self, path):
        if not self._connection.poll(self._timeout):
            raise ReadFault(f'{path}: decoding hung, nothing came for {self._timeout:g} s', 'timeout')
        message = self._connection.recv()
        if isinstance(message, _Chunk):
            frames = np.empty(message.shape, np.uint8)
            self._connection.recv_bytes_into(frames.reshape(-1))
            return message.indices, frames
        return ReadFault(*message) if isinstance(message, tuple) and not isinstance(message, FrameStream) else message

    def _start(self):
        # Not fork: this process has threads. The server imports the package once, so that a new worker costs little.
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(['twlv_mm.video.read_ahead'])
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._sampling, self._decoder), daemon=True)
        try:
            process.start()
            self._process = process
            theirs.close()
            self._connection.recv()  # that it is ready: importing is no part of a video's time
        except EOFError:
            raise RuntimeError(
                'a process to read videos cannot be started; its own error is above. Processes import the script that '
                "starts them: put what the script does below `if __name__ == '__main__':`"
            ) from None

    def kill(self):
        """Kill the process; what it reads ends in a fault."""
        if self._process is not None:
            self._process.kill()

    def close(self):
        """Kill the process and free what belongs to it."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process = None
