import numpy as np
import pytest

from twlv_mm.records import checks


@pytest.mark.parametrize('value', [True, '1', None, [1], float('nan'), float('inf'), 1e308, 1j])
def test_what_is_not_a_finite_number_is_refused(value):
    for check in (checks.number, checks.time):
        with pytest.raises(ValueError, match='^a.json, video v0: '):
            check(value, 'a.json, video v0')


def test_numbers_of_numpy_are_numbers():
    assert checks.number(np.float32(0.5), '') == 0.5
    assert checks.count(np.int64(3), '') == 3


@pytest.mark.parametrize('value', [-1, -0.1, 1e9])
def test_negative_and_absurd_times_are_refused(value):
    with pytest.raises(ValueError, match='seconds from 0'):
        checks.time(value, 'a.json')


@pytest.mark.parametrize('value', [True, 1.0, '1', -1, 2**31])
def test_what_is_not_a_count_is_refused(value):
    with pytest.raises(ValueError, match='not a whole number'):
        checks.count(value, 'a.json')


@pytest.mark.parametrize('text', ['٣', '1_000', '', '-1', '+1', '1.0', '1' * 30, '0x1'])
def test_labels_are_ascii_digits(text):
    with pytest.raises(ValueError, match='^a.txt, line 3: '):
        checks.count_in(text, 'a.txt, line 3')


@pytest.mark.parametrize('text', ['٣', '1_0.5', 'nan', 'inf', '1e999', '1e99', '', '0x1p3', '1,5'])
def test_numbers_in_text_are_finite_ascii(text):
    with pytest.raises(ValueError, match='^a.csv, line 3: '):
        checks.number_in(text, 'a.csv, line 3')
    assert checks.number_in('-1.5e-3', '') == -0.0015


@pytest.mark.parametrize('value', ['', '  ', None, 3, 'a\x1b[2Jb', 'a\nb', 'a\0b', '\ud800'])
def test_names_are_printable_text(value):
    with pytest.raises(ValueError, match='not a name') as caught:
        checks.name(value, 'a.json')
    assert '\x1b' not in str(caught.value)
    assert str(caught.value).encode()
    assert checks.name('Übung 3, 体操', '') == 'Übung 3, 体操'


def test_terminal_does_not_see_escape_sequences():
    assert checks.printable('a\x1b]0;t\x07\n\ud800') == 'a\\x1b]0;t\\x07\n\\ud800'
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert checks.shown(deep) == '[[[[...]]]]'
    while deep:  # taken apart from outside, as its own end would recurse
        deep = deep[0]
