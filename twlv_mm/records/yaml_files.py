"""YAML read as strictly as json: plain data, unique keys, no surprising types."""

import re
from itertools import accumulate

import yaml

from .checks import instance, number, shown
from .reading import read_text

MAX_BYTES = 1 << 20
MAX_DEPTH = 100


def read_yaml(path, kind=None, *, max_bytes=MAX_BYTES):
    """Read a YAML file of at most ``max_bytes``.

    ``no``, ``1:30`` and ``2024-01-01`` are text, as in YAML 1.2's core schema; anchors and tags are refused.

    Args:
        path (str | Path): A UTF-8 file.
        kind (type, optional): Required type of the content, ``dict`` or ``list``.
        max_bytes (int): Its largest size.

    Returns:
        dict | list: dicts with text keys, lists, text, finite numbers, booleans and None.
    """
    text = read_text(path, max_bytes=max_bytes)
    try:
        # PyYAML takes seconds to reject a thousand nested brackets.
        steps = ((sign in '[{') - (sign in ']}') for sign in re.findall(r'[][{}]', text))
        if max(accumulate(steps), default=0) > MAX_DEPTH:
            raise ValueError(f'brackets are nested more than {MAX_DEPTH} levels deep')
        content = yaml.load(text, _Loader)
    except RecursionError:
        raise ValueError(f'{path} is not valid yaml: nested too deeply') from None
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f'{path} is not valid yaml: {error}') from None
    if kind is not None:
        instance(content, kind, path)
    return content


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}
    yaml_constructors = {}

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise yaml.YAMLError(f'line {event.start_mark.line + 1} has an anchor or alias: write the value out')
        return super().compose_node(parent, index)


def _mapping(loader, node):
    content = {}
    for key_node, value_node in node.value:
        key, line = loader.construct_object(key_node, deep=True), key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise yaml.YAMLError(f'line {line}: the key {shown(key)} is not text: put it in quotes')
        if key in content:
            raise yaml.YAMLError(f'line {line}: duplicate key {key!r}')
        content[key] = loader.construct_object(value_node, deep=True)
    return content


def _float(loader, node):
    return number(float(loader.construct_scalar(node)), f'line {node.start_mark.line + 1}')


def _refused(loader, node):
    raise yaml.YAMLError(f'line {node.start_mark.line + 1} has the tag {node.tag}: only plain data is supported')


for tag, pattern, first in (
    ('null', r'~|null|', '~n'),
    ('bool', r'true|false', 'tf'),
    ('int', r'[-+]?[0-9]{1,18}', '-+0123456789'),
    ('float', r'[-+]?(\.[0-9]+|[0-9]+\.?[0-9]*)([eE][-+]?[0-9]{1,3})?', '-+.0123456789'),
):
    for sign in [*first, *([''] if tag == 'null' else [])]:
        resolver = f'tag:yaml.org,2002:{tag}', re.compile(f'(?:{pattern})$')
        _Loader.yaml_implicit_resolvers.setdefault(sign, []).append(resolver)
_CONSTRUCTORS = dict(
    null=lambda loader, node: None,
    bool=lambda loader, node: node.value == 'true',
    int=lambda loader, node: int(node.value),
    float=_float,
    str=yaml.SafeLoader.construct_yaml_str,
    seq=lambda loader, node: loader.construct_sequence(node, deep=True),
    map=_mapping,
)
for tag, constructor in _CONSTRUCTORS.items():
    _Loader.add_constructor(f'tag:yaml.org,2002:{tag}', constructor)
_Loader.add_constructor(None, _refused)
