"""YAML of other people is plain data or an error that names the line."""

import pytest

from twlv_mm.records import read_yaml


def read(tmp_path, text, **options):
    path = tmp_path / 'own.yaml'
    path.write_text(text, encoding='utf-8')
    return read_yaml(path, **options)


def test_words_and_numbers_are_what_they_say(tmp_path):
    text = (
        'no: [no, yes, 1:30, 2024-01-01, 0x10, "7"]\nnumbers: [1, -2, 1e-3, 0.5, 4.]\nflags: {on: true, off: false}\n'
    )
    assert read(tmp_path, f'{text}nothing: ~\nempty:\n') == dict(
        no=['no', 'yes', '1:30', '2024-01-01', '0x10', '7'],
        numbers=[1, -2, 1e-3, 0.5, 4.0],
        flags=dict(on=True, off=False),
        nothing=None,
        empty=None,
    )


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a: 1\nb: 2\na: 3\n', "line 3: duplicate key 'a'"),
        ('a: &x [1]\nb: *x\n', 'line 1 has an anchor or alias'),
        ('a: !!python/object/apply:os.system [ls]\n', 'line 1 has the tag tag:yaml.org,2002:python'),
        ('a: !!set {b}\n', 'has the tag'),
        ('1: a\n', 'line 1: the key 1 is not text'),
        ('a: 1e999\n', 'not a finite number'),
        ('a: [1\n', 'is not valid yaml'),
        ('[' * 2000, 'nested more than 100 levels deep'),
        ('- a\n', 'is not a dict'),
        ('a: 1\n---\nb: 2\n', 'single document'),
    ],
)
def test_what_is_not_plain_data_is_an_error_with_its_place(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, text, kind=dict)
    assert 'own.yaml' in str(error.value)
