import json
import os
import resource

import pytest

from twlv_mm.records import parse_json, parsing, read_json, read_lines, read_rows, read_table, read_text, write_table

WRONG = {
    'duplicate key': ('{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate key 'c'"),
    'NaN': ('{"a": NaN}', 'NaN is not'),
    'infinity': ('{"a": -Infinity}', '-Infinity is not'),
    'too large': ('{"a": 1e308}', '1e308 is too large'),
    'infinite': ('{"a": 1e999}', '1e999 is too large'),
    'long': ('{"a": ' + '9' * 10_000 + '}', 'too large'),
    'deep': ('[' * 100_000, 'nested too deep'),
    'cut off': ('{"a": ', 'Expecting value'),
    'lone surrogate': ('["\\ud800"]', 'lone surrogate'),
    'empty': ('', 'Expecting value'),
}


@pytest.mark.parametrize('kind', WRONG)
def test_unsound_json_is_refused_with_its_file(kind, tmp_path):
    text, reason = WRONG[kind]
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=reason) as caught:
        read_json(path)
    assert str(caught.value).startswith(str(path))
    assert type(caught.value) is ValueError


def test_sound_json_is_what_python_reads(tmp_path):
    content = {'a': [1, -2.5e-3, None, True, 'ü\n'], 'b': {}}
    (tmp_path / 'a.json').write_text('\ufeff' + json.dumps(content), encoding='utf-8')
    assert read_json(tmp_path / 'a.json', dict) == content
    with pytest.raises(ValueError, match='is not a list'):
        read_json(tmp_path / 'a.json', list)
    assert parse_json('3', 'x') == 3


def test_other_encodings_are_refused_with_their_line(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_bytes('eins\nzwölf\n'.encode('latin-1'))
    with pytest.raises(ValueError, match=r'a\.txt, line 2: not UTF-8 text'):
        read_text(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'a.json')
    with pytest.raises(ValueError, match='not a regular file'):
        read_json(tmp_path / 'a.json')


def test_a_file_larger_than_expected_is_not_read(tmp_path):
    with open(tmp_path / 'a.json', 'wb') as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match='more than the 1,000 expected'):
        read_json(tmp_path / 'a.json', max_bytes=1000)


def test_lines_end_where_editors_see_their_end(tmp_path):
    (tmp_path / 'a.txt').write_bytes('a\u2028b\x0bc 1\r\n\r\n  d 2'.encode())
    assert read_lines(tmp_path / 'a.txt') == {1: 'a\u2028b\x0bc 1', 3: 'd 2'}


def test_csv_has_its_lines(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('id,key\n1,"a\nb"\n\n2,c\n')
    assert read_rows(path) == {1: ['id', 'key'], 3: ['1', 'a\nb'], 5: ['2', 'c']}
    assert read_table(path, 'id') == {3: dict(id='1', key='a\nb'), 5: dict(id='2', key='c')}
    for text, message in (
        ('id,key\n1\n', 'line 2: 1 cells'),
        ('id,id\n', 'two columns'),
        ('id\n"a', 'line 2: unexpected end'),
        ('id\n' + 'a' * 200_000, 'line 2: field larger'),
        ('key\n', 'no column id'),
        ('', 'no column id'),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_table(path, 'id')


def test_parsing_says_where(tmp_path):
    for wrong in (lambda: {}['a'], lambda: 1 / 0, lambda: None.x, lambda: int('x'), lambda: [][1], lambda: 10.0**999):
        with pytest.raises(ValueError, match='^a.json, video v0: .'), parsing('a.json, video v0'):
            wrong()


def test_spreadsheet_runs_no_cell(tmp_path):
    names = ['-1.25', '=HYPERLINK("x")', '+1+1', '-a', '@a', '\t=1', 'a\x1b[2J\ud800', 'a-b']
    write_table(tmp_path / 'a.csv', ['name', 'value'], [[name, -1.5] for name in names])
    cells = [row[0] for row in list(read_rows(tmp_path / 'a.csv').values())[1:]]
    assert cells == ['-1.25', '\'=HYPERLINK("x")', "'+1+1", "'-a", "'@a", "'\\t=1", 'a\\x1b[2J\\ud800', 'a-b']
    assert ',-1.5\n' in (tmp_path / 'a.csv').read_text()


def test_too_many_open_files_are_not_damage_of_the_one_that_is_to_be_read(tmp_path):
    (tmp_path / 'sound.json').write_text('{}')
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match='Too many open files'):
            read_json(tmp_path / 'sound.json')
        with pytest.raises(OSError, match='Too many open files'), parsing('sound.json'):
            os.open(tmp_path / 'sound.json', os.O_RDONLY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
