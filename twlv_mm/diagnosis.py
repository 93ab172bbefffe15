"""The installed versions, what is missing for which task, and the command that fixes it.

Only the standard library is imported at the top, because this must run when anything else is missing or broken.
"""

import importlib
import platform
import re
import shlex
import sys
import warnings
from contextlib import contextmanager
from importlib import metadata
from importlib.machinery import PathFinder
from typing import NamedTuple

# mmcv and mmcv-lite install the same files: uninstall both first, or pip leaves a mixture of the two.
REPLACE_MMCV = (
    "pip uninstall -y mmcv mmcv-lite && pip install 'setuptools<81' wheel && pip install --no-build-isolation"
)
MMCV_LITE = f'{REPLACE_MMCV} mmcv-lite==2.1.0'
MMCV_COMPILED = f'{REPLACE_MMCV} --no-cache-dir mmcv==2.1.0  # compiles for 5 to 15 minutes'


class Component(NamedTuple):
    """A distribution that some task needs; good versions are from ``at_least`` to before ``below``.

    One that is not ``required`` belongs to an extra of the package.
    """

    distribution: str
    module: str
    used_for: str
    at_least: str = ''
    below: str = ''
    required: bool = True

    @property
    def needed(self):
        return ','.join(sign + bound for sign, bound in (('>=', self.at_least), ('<', self.below)) if bound)

    def accepts(self, version):
        number = _release(version)
        return number >= _release(self.at_least) and not (self.below and number >= _release(self.below))


class Row(NamedTuple):
    """One line of the table; ``fix`` is empty if nothing is wrong, ``error`` says why an import fails."""

    component: str
    found: str
    needed: str
    used_for: str
    fix: str = ''
    error: str = ''
    required: bool = True


EVERYTHING = 'everything'
READING = 'reading video files'
MMCV = Component('mmcv', 'mmcv', EVERYTHING, at_least='2.1.0', below='2.2.0')
# A component comes after those that it imports, so that the first fault in the table is the one to fix.
# torch also comes before decord, which can hang if it is imported first.
COMPONENTS = (
    # Below 2.6 a checkpoint can run code while it loads; twlv_mm then refuses to be imported.
    Component('torch', 'torch', EVERYTHING, at_least='2.6'),
    Component('numpy', 'numpy', EVERYTHING, at_least='1.26'),
    Component('opencv-contrib-python', 'cv2', EVERYTHING),
    # mmengine 0.10.7 imports pkg_resources, which setuptools 81 drops.
    Component('setuptools', 'pkg_resources', EVERYTHING, below='81'),
    Component('mmengine', 'mmengine', EVERYTHING, at_least='0.10.7', below='0.11'),
    MMCV,
    Component('packaging', 'packaging', EVERYTHING),
    Component('wrapt', 'wrapt', EVERYTHING),
    Component('av', 'av', READING, at_least='17'),
    Component('decord', 'decord', READING, at_least='0.6.0'),
    Component('rich', 'rich', 'embedding extraction'),
    Component('safetensors', 'safetensors', EVERYTHING, at_least='0.4.3'),
    Component('importlib_metadata', 'importlib_metadata', 'recognition'),
    Component('mmaction2', 'mmaction', 'recognition', at_least='1.2.0', below='1.3'),
    Component('mmdet', 'mmdet', 'detection', at_least='3.3.0', below='3.4'),
    Component('Jinja2', 'jinja2', 'the report', at_least='3'),
    Component('scikit-learn', 'sklearn', 'pictures of embeddings', at_least='1.3', required=False),
    Component('transformers', 'transformers', 'hf: encoders', at_least='5', required=False),
)


def examine():
    """Check every component by its version and by importing it; a list of :class:`Row`."""
    rows = [Row('Python', platform.python_version(), '>=3.10', EVERYTHING)]
    for component in COMPONENTS:
        # decord has wheels for x86 only; elsewhere PyAV reads the videos.
        if component.distribution == 'decord' and platform.machine() not in ('x86_64', 'AMD64'):
            continue
        for row in [_examine_mmcv(), _examine_operators()] if component is MMCV else [_examine(component)]:
            if row.error and missing(rows):
                row = row._replace(fix='fix the rows above, then look again')
            rows.append(row)
    return rows


def missing(rows):
    """The rows of required components that are absent, broken or of a wrong version."""
    return [row for row in rows if row.required and row.fix]


def table(rows):
    """Format the rows as a text table, followed by the errors of failed imports."""
    lines = [('component', 'found', 'needed', 'used for', 'fix')]
    lines += [(row.component, row.found, row.needed or 'any', row.used_for, row.fix) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    text = ['  '.join(map(str.ljust, line, widths)).rstrip() for line in lines]
    text += [f'{row.component}: {row.error}' for row in rows if row.error]
    if any('pip' in row.fix for row in rows):
        text.append(f'pip is that of this Python: {shlex.quote(sys.executable)} -m pip')
    return '\n'.join(text)


@contextmanager
def explained():
    """Turn an error due to a missing, broken or wrong component into an ImportError with the table of such components.

    ``python -m twlv_mm`` imports the package before it prints the table, so it ignores the error.
    """
    try:
        yield
    except Exception as error:
        faults = missing(examine())
        if not faults:
            raise
        if sys.argv[:1] != ['-m'] or 'twlv_mm' not in sys.orig_argv:
            raise ImportError(f'twlv_mm cannot be imported ({error}).\n\n{table(faults)}') from error


def _release(version):
    """'2.13.0+cpu' -> (2, 13, 0); '' -> (), which is below every other."""
    return tuple(int(number) for number in re.findall(r'\d+', version)[:3])


def _version(distribution):
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ''


def _import_error(module):
    """Why a module cannot be imported, or ''. A broken package can raise anything, as mmdet does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module(module)
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return ''


def _examine(component):
    name, needed = component.distribution, component.needed
    install = shlex.quote(name + needed)
    version = _version(name)
    row = Row(name, version or 'not installed', needed, component.used_for, required=component.required)
    error = _import_error(component.module)
    if error and not version:
        return row._replace(fix=f'pip install {install}')
    if error:
        fix = f'pip install --force-reinstall --no-deps {install}'
        return row._replace(found=f'{version}, import fails', fix=fix, error=error)
    if version and not component.accepts(version):
        return row._replace(fix=f'pip install {install}')
    if name == 'torch':
        return row._replace(found=f'{version} ({_device()})')
    return row if version else row._replace(found='version unknown')


def _device():
    import torch

    if torch.cuda.is_available():
        return f'CUDA {torch.version.cuda}, {torch.cuda.device_count()} x {torch.cuda.get_device_name()}'
    return f'CPU, {torch.get_num_threads()} threads'


def _examine_mmcv():
    found = [f'{name} {version}' for name in ('mmcv', 'mmcv-lite') if (version := _version(name))]
    row = Row('mmcv or mmcv-lite', ' and '.join(found) or 'not installed', MMCV.needed, MMCV.used_for)
    error = _import_error('mmcv')
    if error and found:
        return row._replace(found=f'{row.found}, import fails', fix=MMCV_LITE, error=error)
    if len(found) != 1 or not MMCV.accepts(found[0].split()[1]):
        return row._replace(fix=MMCV_LITE)
    return row


def _examine_operators():
    """mmcv's compiled operators: optional, but an error if they are there and do not load."""
    row = Row('mmcv operators', 'none', 'optional', 'speed with many boxes', MMCV_COMPILED, required=False)
    if _import_error('mmcv'):
        return row
    import mmcv

    if PathFinder.find_spec('mmcv._ext', mmcv.__path__) is None:
        return row
    error = _import_error('mmcv._ext')
    if error:
        # They are built for one torch; with another, mmcv.ops and everything that imports it breaks.
        return row._replace(found='do not load', error=error, required=True)
    return row._replace(found='compiled', fix='')
