"""A page of the API reference for each room of twlv_mm, so that the list follows the package."""

import re
from pathlib import Path

from mkdocs.structure.files import File

PACKAGE = Path(__file__).parents[1] / 'twlv_mm'
ROLE = re.compile(r':(?:attr|class|data|func|meth|mod):(<code>)~?')


def modules():
    """The package itself, and its rooms; compat/ has no public names."""
    rooms = sorted(path.parent.name for path in PACKAGE.glob('*/__init__.py'))
    return ['twlv_mm', *(f'twlv_mm.{room}' for room in rooms if room != 'compat')]


def on_config(config):
    config.nav.append({'API': [{name: f'reference/{name}.md'} for name in modules()]})
    return config


def on_files(files, config):
    for name in modules():
        files.append(File.generated(config, f'reference/{name}.md', content=f'::: {name}\n'))
    return files


def on_page_content(html, page, config, files):
    """Docstrings have roles and blocks of reStructuredText, which Markdown would show as they are."""
    return ROLE.sub(r'\1', html).replace('::</p>', ':</p>') if page.url.startswith('reference/') else html
