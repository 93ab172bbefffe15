"""The rooms of the package build on one another in one direction (docs/architecture.md)."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import twlv_mm

PACKAGE = Path(twlv_mm.__file__).parent
# A room may import those above it, and none beside it.
ORDER = [
    ['registry', 'diagnosis'],
    ['records'],
    ['compat', 'video', 'system_errors'],
    ['visualization', 'encoders'],
    ['embeddings'],
    ['engine', 'search'],
    ['inference', 'synthetic'],
    ['recognition', 'localization', 'detection', 'segmentation', 'pretraining', 'analysis'],
    ['report'],
    ['evaluation'],
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FILES = {
    '.'.join(path.relative_to(PACKAGE).with_suffix('').parts).removesuffix('.__init__'): path
    for path in PACKAGE.rglob('*.py')
    if ('.mim' not in path.parts and path.parent != PACKAGE) or path.stem in LEVEL
}


def imports(module, late=True):
    """Modules of this package that one imports, below ``twlv_mm``; those within functions only if ``late``."""
    path = FILES[module]
    package = ['twlv_mm', *path.relative_to(PACKAGE).parts[:-1]]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if late else tree.body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = '.'.join([*base, *filter(None, [node.module])])
            names = [f'{start}.{alias.name}' for alias in node.names]
        for name in names:
            parts = name.split('.')
            if parts[0] == 'twlv_mm':
                # A name of a module, or what it has.
                candidates = ['.'.join(parts[1:end]) for end in range(len(parts), 1, -1)]
                yield next((one for one in candidates if one in FILES), None)


def test_rooms_import_only_what_is_above_them():
    wrong = [
        f'{module} imports {other}'
        for module in FILES
        for other in imports(module)
        if other and (room := module.split('.')[0]) != (its := other.split('.')[0]) and LEVEL[its] >= LEVEL[room]
    ]
    assert not wrong


def test_every_room_has_its_place():
    assert {module.split('.')[0] for module in FILES} == set(LEVEL)


def test_no_circle_of_files():
    graph = {module: set(imports(module, late=False)) - {None, module} for module in FILES}
    rooms = {module for module, path in FILES.items() if path.name == '__init__.py'}
    try:
        # A room's __init__ imports its files; that they are loaded through it is no circle.
        TopologicalSorter({module: its - rooms for module, its in graph.items() if module not in rooms}).prepare()
    except CycleError as error:
        raise AssertionError(f'a circle of imports: {" -> ".join(error.args[1])}') from None
