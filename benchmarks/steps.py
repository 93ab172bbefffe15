"""Time and memory of training steps, each variant in its own process."""

import multiprocessing
import time

import torch


def benchmark_steps(build, ways, iterations=3):
    """Measure forward and backward on the CPU, one variant after the other.

    Args:
        build (Callable): ``build(way)`` gives a model and a function of no arguments that returns its loss; can be
            pickled.
        ways (Sequence[str]): The variants to compare.
        iterations (int): Steps after one warm-up step; the fastest counts.

    Returns:
        dict[str, dict]: of each way, seconds (wall clock), cpu_seconds and peak_bytes (beyond what the process held
        before the first step).
    """
    context = multiprocessing.get_context('spawn')
    rates = {}
    for way in ways:
        with context.Pool(1) as pool:
            rates[way] = pool.apply(_measure, (build, way, iterations, torch.get_num_threads()))
    return rates


def _measure(build, way, iterations, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, loss = build(way)
    times = []

    def train():
        for _ in range(1 + iterations):
            start, cpu = time.perf_counter(), time.process_time()
            loss().backward()
            times.append((time.perf_counter() - start, time.process_time() - cpu))
            model.zero_grad()

    peak_bytes = peak_bytes_of(train)
    seconds, cpu_seconds = (min(column) for column in zip(*times[1:], strict=True))
    return dict(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=peak_bytes)


def peak_bytes_of(run):
    """Peak memory of a call in this process (Linux).

    Args:
        run (Callable): A function of no arguments.

    Returns:
        int: bytes beyond what the process held before.
    """
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')  # the peak counts from here
    before = _memory('VmRSS')
    run()
    return _memory('VmHWM') - before


def _memory(name):
    """Bytes of an entry of this process's status."""
    with open('/proc/self/status') as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(f'{name}:'))
