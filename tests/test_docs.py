"""What README and docs name exists: files, links, names of the package, options of commands."""

import importlib.util
import json
import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [path for pattern in ('*.md', 'docs/*.md', 'benchmarks/*.md', 'tools/**/*.md') for path in ROOT.glob(pattern)]
FOLDERS = 'benchmarks|configs|demo|docs|requirements|tests|tools|twlv_mm'
PATH = re.compile(rf'(?<![\w/.:-])(?:{FOLDERS})/[\w./*{{}},$-]*[\w*}}/]')
LINK = re.compile(r'\]\(([^)#\s]+)(?:#[^)]*)?\)')


@cache
def source():
    """The text of all code."""
    files = (path for folder in ('twlv_mm', 'tools', 'benchmarks') for path in ROOT.glob(f'{folder}/**/*.py'))
    return '\n'.join(path.read_text(encoding='utf-8') for path in files)


def expanded(pattern):
    """The patterns that one with alternatives in braces stands for."""
    parts = re.split(r'\{([^}]*)\}', pattern)
    return map(''.join, product(*(part.split(',') if place % 2 else [part] for place, part in enumerate(parts))))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_link_of_a_page_leads_somewhere(page):
    text = page.read_text(encoding='utf-8')
    named = {one for pattern in PATH.findall(text) if '$' not in pattern for one in expanded(pattern)}
    missing = sorted(name for name in named if not list(ROOT.glob(name.rstrip('/'))))
    links = {link for link in LINK.findall(text) if '://' not in link}
    missing += sorted(link for link in links if not (page.parent / link).exists())
    assert not missing


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_of_the_package_on_a_page_is_there(page):
    text = page.read_text(encoding='utf-8')
    names = set(re.findall(r'\btwlv_mm\.([a-z_]+)\.(\w+)', text))
    for module, imported in re.findall(r'^from twlv_mm\.([a-z_]+) import (.+)$', text, re.M):
        names |= {(module, name.strip()) for name in imported.split('#')[0].split(',')}
    missing = [pair for pair in sorted(names) if not hasattr(importlib.import_module(f'twlv_mm.{pair[0]}'), pair[1])]
    assert not missing
    types = set(re.findall(r'\btwlv_mm\.([A-Z]\w+)', text)) - {'Name'}
    assert not [name for name in sorted(types) if not re.search(rf'\b{name}\b', source())]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_on_a_page_need_no_import_that_it_does_not_show(page):
    """``import twlv_mm`` loads only the rooms that it imports itself."""
    imports = re.findall(r'from \.(\w*) ?import (\w+)', (ROOT / 'twlv_mm/__init__.py').read_text())
    loaded = {room or name for room, name in imports}
    rooms = re.findall(r'(?<!from )(?<!import )twlv_mm\.(\w+)\.\w', page.read_text(encoding='utf-8'))
    assert set(rooms) <= loaded


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_of_a_command_on_a_page_is_there(page):
    text = page.read_text(encoding='utf-8').replace('\\\n', ' ')
    commands = re.findall(r'(?:tools/\w+\.py|benchmarks/\w+\.py|(?<![\w.])twlv [a-z]+)[^`\n]*', text)
    options = {option for command in commands for option in re.findall(r'(?<=\s)--[a-z][a-z-]*', command.split('#')[0])}
    assert not options - set(re.findall(r"'(--[a-z-]+)'", source()))


def test_the_tutorial_is_stored_without_outputs():
    notebook = json.loads((ROOT / 'demo/tutorial.ipynb').read_text(encoding='utf-8'))
    assert not [cell for cell in notebook['cells'] if cell.get('outputs')]


def test_the_script_of_the_pictures_finds_what_it_draws_with():
    spec = importlib.util.spec_from_file_location('pictures', ROOT / 'docs/pictures.py')
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert all(path.stat().st_size <= 150_000 for path in (ROOT / 'docs/pictures').iterdir())
