"""How much memory something takes at its highest."""


def peak_bytes_of(run):
    """Call a function, and see how far the memory of this process rises (Linux).

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
