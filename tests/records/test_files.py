"""What is written appears whole, follows no link, and other people's files are opened with care."""

import json
import multiprocessing
import os

import pytest

from twlv_mm.records import append_line, locked, open_regular, write_bytes, write_json, write_text, writing


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('old')
    with pytest.raises(ValueError, match='JSON compliant'), writing(path, 'w') as file:
        json.dump([1, float('nan')], file, allow_nan=False)
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.json']


def test_link_in_the_place_of_a_file_is_replaced_not_followed(tmp_path):
    outside, path = tmp_path / 'outside', tmp_path / 'v_c.npy'
    outside.write_text('precious')
    path.symlink_to(outside)
    write_bytes(path, b'new')
    assert outside.read_text() == 'precious'
    assert not path.is_symlink()
    assert path.read_bytes() == b'new'


def test_longest_possible_name_can_be_written(tmp_path):
    write_bytes(tmp_path / ('n' * 255), b'x')
    assert os.listdir(tmp_path) == ['n' * 255]


def test_new_file_has_the_permissions_of_the_umask(tmp_path):
    write_bytes(tmp_path / 'a', b'x')
    (tmp_path / 'b').touch()
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode


def test_lone_surrogate_does_not_end_the_writing(tmp_path):
    write_text(tmp_path / 'a.md', 'name \udc80')
    assert (tmp_path / 'a.md').read_text() == r'name \udc80'


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match='JSON compliant'):
        write_json(tmp_path / 'a.json', dict(a=float('nan')))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize('write', [lambda path: append_line(path, 'line'), lambda path: locked(path).__enter__()])
def test_log_and_lock_follow_no_link(write, tmp_path):
    outside, path = tmp_path / 'outside', tmp_path / 'log'
    outside.write_text('precious')
    path.symlink_to(outside)
    with pytest.raises(OSError):  # noqa: PT011  ELOOP, whose text depends on the system
        write(path)
    assert outside.read_text() == 'precious'


def test_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / 'results.json')
    with pytest.raises(OSError, match='results.json is not a regular file'):
        open_regular(tmp_path / 'results.json')


def test_file_larger_than_expected_is_refused(tmp_path):
    write_bytes(tmp_path / 'a', b'12345')
    with pytest.raises(ValueError, match='has 5 bytes, more than the 4 expected'):
        open_regular(tmp_path / 'a', max_bytes=4)
    with open_regular(tmp_path / 'a', max_bytes=5) as file:
        assert file.read() == b'12345'


def _hold(path, held, release):
    with locked(path):
        held.set()
        release.wait()


def test_lock_is_free_again_when_its_holder_is_killed(tmp_path):
    context = multiprocessing.get_context('fork')
    held, release = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / '.lock', held, release))
    holder.start()
    held.wait()
    with pytest.raises(BlockingIOError), locked(tmp_path / '.lock', wait=False):
        pass
    holder.kill()
    holder.join()
    with locked(tmp_path / '.lock', wait=False):
        pass


def test_limit_of_a_size_is_raised_by_the_environment(tmp_path, monkeypatch):
    path = tmp_path / 'a'
    path.write_bytes(bytes(100))
    with pytest.raises(ValueError, match='has 100 bytes, more than the 10 expected of such a file: set TWLV_MAX_BYTES'):
        open_regular(path, max_bytes=10)
    monkeypatch.setenv('TWLV_MAX_BYTES', '100')
    open_regular(path, max_bytes=10).close()
    monkeypatch.setenv('TWLV_MAX_BYTES', '1GB')
    with pytest.raises(ValueError, match="TWLV_MAX_BYTES is '1GB'; it must be a number of bytes"):
        open_regular(path, max_bytes=10)
