"""Read videos ahead in worker processes, which may hang or die without harm."""

import multiprocessing
import queue
import signal
import threading
from typing import NamedTuple

import numpy as np

from .clip_stream import FrameStream, stream_frames
from .decoders import check_decoder, open_video
from .errors import ReadFault, reason

CHUNKS_AHEAD = 8  # decoded chunks queued per worker


def read_ahead(paths, sampling, *, workers, decoder=None, timeout=120.0):
    """Read videos in order, decoding the next ones while the current one is used.

    A worker is a process with one decoding thread. One that hangs is killed, and one that dies is replaced; the video
    that it was reading fails.

    Args:
        paths (Iterable[str | Segment]): Video files, or segments of them.
        sampling (ClipSampling): The clips to read of each.
        workers (int): Worker processes; with 0, videos are read in this process, which a hanging or crashing decoder
            then takes down.
        decoder (str, optional): As for :func:`open_video`.
        timeout (float): Seconds that a worker may take to open a video or to decode its next chunk of frames.

    Yields:
        FrameStream | ReadFault: for each path in order. Exhaust a stream before taking the next; taking its chunks
        raises :class:`ReadFault` if the video breaks off.

    Raises:
        RuntimeError: if no worker can be started.
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
            with lock:  # keeps outboxes in the order of the paths
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
            except Exception as error:  # not the video's fault: raise it in the consumer
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
            process.kill()  # do not wait for a decoder
        for thread in threads:
            thread.join()


def _put(target, item, closing):
    """Put an item into a queue once there is room; False if the consumer has stopped."""
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
    """Yield a FrameStream without chunks, then each chunk; a ReadFault once something fails."""
    stage = 'open'
    try:
        with open_video(path, decoder) as reader:
            stream = stream_frames(reader, sampling)
            stage = 'decode'
            yield stream._replace(chunks=None)
            yield from stream.chunks
    except Exception as error:  # of any class: the other videos continue
        message = str(error) if isinstance(error, (ValueError, OSError)) else f'{path}: {reason(error)}'
        yield ReadFault(message, stage)


def _serve(connection, sampling, decoder):
    """The worker process: receives paths, sends messages and None, until the connection is closed."""
    # Ctrl-C reaches all processes of a terminal; here it would count as a failed video.
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
    """Announces frames: their indices and shape."""

    indices: np.ndarray
    shape: tuple


class ReaderProcess:
    """A process that reads one video after another, with one decoding thread; started on first use.

    Args: as for :func:`read_ahead`.
    """

    def __init__(self, sampling, decoder, timeout):
        self._sampling, self._decoder, self._timeout = sampling, decoder, timeout
        self._process = self._connection = None
        self._present = iter(())

    def stream(self, path):
        """Start reading a video; returns an item of :func:`read_ahead`."""
        for _ in self._present:  # consume its end marker
            pass
        self._present = iter(self.messages(path).__next__, None)
        return _from_messages(self._present)

    def messages(self, path):
        """Yield the items of :func:`_messages`, then None."""
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
        # Not fork: this process has threads. The server imports the package once, so that workers start fast.
        context = multiprocessing.get_context('forkserver')
        context.set_forkserver_preload(['twlv_mm.video.read_ahead'])
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._sampling, self._decoder), daemon=True)
        try:
            process.start()
            self._process = process
            theirs.close()
            self._connection.recv()  # 'ready': importing does not count towards a video's timeout
        except EOFError:
            raise RuntimeError(
                'a process to read videos cannot be started; its own error is above. Processes import the script that '
                "starts them: put the script's actions below `if __name__ == '__main__':`"
            ) from None

    def kill(self):
        """Kill the process; the video being read ends in a fault."""
        if self._process is not None:
            self._process.kill()

    def close(self):
        """Kill the process and free its resources."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process = None
