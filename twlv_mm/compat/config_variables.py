"""A variable that a config overrides does not reach the values that its base computed from it.

mmengine runs a base before its child: ``data_root = 'mine'`` in the child comes after every path was built. Here a
variable set in a config is set in all its bases, merged into theirs as mmengine merges settings. Its value must be
computable before the bases are run: an expression of constants and of such variables above it.

This holds for the configs of this package, copies of their folder, and configs that inherit them. Other packages'
configs, such as mmdet's, may reuse a base's variable name for something else, and are left alone.
"""

import ast
import builtins
import copy
import functools
import inspect
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.config import config as upstream
from mmengine.fileio import load

from .config_base import CONFIGS

# Functions allowed in an expression that is evaluated before the bases are run.
FUNCTIONS = ('bool', 'dict', 'float', 'int', 'len', 'list', 'max', 'min', 'range', 'round', 'str', 'sum', 'tuple')
KINDS = {dict: 'a dict', str: 'text', (int, float): 'a number', (list, tuple): 'a list'}
# The encoder's settings in a config, read by twlv_mm/encoders/config_encoder.py.
OF_THE_ENCODER = {'encoder', 'encoder_weights', 'encoder_overrides', 'encoder_defaults'}
COMMAND = 'the command'  # in place of a file, for values from --cfg-options
_thread = threading.local()


class ConfigVariableError(ValueError):
    """A config variable is set in a way that cannot take effect."""


@dataclass
class ParsedFile:
    """A config that is being parsed.

    Attributes:
        path (str): The file, or COMMAND.
        known (dict): Its variables and settings whose values do not depend on its bases.
        hidden (set[str]): Variables to ignore.
        binds (bool): Whether configs that inherit it set its variables.
    """

    path: str
    known: dict = field(default_factory=dict)
    hidden: set = field(default_factory=set)
    binds: bool = False


def files_being_parsed():
    """The chain of configs being parsed, from the outermost to the base at hand.

    Returns:
        list[ParsedFile]
    """
    if not hasattr(_thread, 'files'):
        _thread.files = []
    return _thread.files


@functools.cache
def settings():
    """Names that are read from a parsed config; everything else at its top level is a variable."""
    from mmengine.runner import Runner

    return {
        *inspect.signature(Runner).parameters,
        *('activation_checkpointing', 'auto_scale_lr', 'compile', 'efficient_conv_bn_eval', 'find_unused_parameters'),
        *('model_wrapper_cfg', 'runner_type', 'strategy', 'sync_bn'),
        *('class_names', 'extraction', 'folds', *OF_THE_ENCODER),
    }


@contextmanager
def variables(values, hidden=()):
    """Parse configs with other values of their variables, as if a child set them.

    Args:
        values (dict): Variables and their values.
        hidden (Iterable[str]): Variables of the config itself to ignore.
    """
    files, before = files_being_parsed(), list(files_being_parsed())
    files[:] = [ParsedFile(COMMAND, dict(values), set(hidden))]
    try:
        yield
    finally:
        files[:] = before


def bound(name, value):
    """The value of a variable of the file being run, after its children's overrides."""
    for child in reversed(_setters()):
        if name in child.known and name not in settings():
            value = _merged(name, value, child, files_being_parsed()[-1])
    return value


def is_bound(path):
    """Whether a config is this package's, or a copy of one in a copy of the folder of configs, or inherits such a one.

    False if it is missing or cannot be parsed.
    """
    path = Path(path).resolve()
    if path.is_relative_to(CONFIGS.resolve()) or any(map(partial(_is_copied, path), path.parents)):
        return True
    try:
        bases = Config._get_base_files(str(path))
        return any(is_bound(Config._get_cfg_path(base, str(path))[0]) for base in bases)
    except (OSError, SyntaxError, ValueError, RecursionError, upstream.ConfigParsingError):
        return False


def _is_copied(path, folder):
    """Whether a config is one of this package's that were copied to a folder, as in a clone beside the installation."""
    marker = folder / '_base_' / 'encoder.py'
    return (CONFIGS / path.relative_to(folder)).is_file() and marker.is_file() and 'twlv_mm' in marker.read_text()


def apply():
    """Make ``Config.fromfile`` bind variables."""
    if hasattr(Config._file2dict, '__wrapped__'):
        return
    file2dict, substitute = Config._file2dict, Config._pre_substitute_base_vars

    @functools.wraps(file2dict)
    def remembering(filename, *args, **kwargs):
        files = files_being_parsed()
        files.append(ParsedFile(str(filename), binds=is_bound(filename)))
        try:
            return file2dict(filename, *args, **kwargs)
        finally:
            files.pop()

    @functools.wraps(substitute)
    def reading(filename, temp_config_name):
        file = files_being_parsed()[-1]
        if filename.endswith('.py'):
            with open(filename, encoding='utf-8') as source:
                file.known = _known(ast.parse(source.read()).body)
        else:
            file.known = load(filename)
        for name in _hidden():
            file.known.pop(name, None)
        return substitute(filename, temp_config_name)

    Config._file2dict = staticmethod(remembering)
    Config._pre_substitute_base_vars = staticmethod(reading)
    upstream.RemoveAssignFromAST = Binding


class Binding(upstream.RemoveAssignFromAST):
    """Inserts a call of :func:`bound` after each statement that sets an overridden variable."""

    def visit_Module(self, node):
        hidden = _hidden()
        children = set().union(*(file.known for file in _setters())) - settings() - OF_THE_ENCODER
        node, body = self.generic_visit(node), []
        for statement in node.body:
            body.append(statement)
            for target in targets(statement):
                if target.id in hidden:
                    target.id = f'__{target.id}'  # mmengine leaves such names out
                elif target.id in children:
                    call = f'__import__({__name__!r}, fromlist=["bound"]).bound({target.id!r}, {target.id})'
                    body.extend(ast.parse(f'{target.id} = {call}').body)
        node.body = body
        return ast.fix_missing_locations(node)


def targets(statement):
    """The names that a top-level statement assigns; empty unless it is an assignment."""
    if not isinstance(statement, ast.Assign):
        return []
    return [node for target in statement.targets for node in ast.walk(target) if _is_stored(node)]


def _setters():
    """The configs that may override variables of the file being run: its children, or the command."""
    *children, file = files_being_parsed()
    return [child for child in children if file.binds or child.path == COMMAND]


def _hidden():
    files = files_being_parsed()
    return files[0].hidden if len(files) == 2 else set()


def _is_stored(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _known(statements):
    """Evaluate the top-level statements that do not depend on the bases."""
    functions, known = {name: getattr(builtins, name) for name in FUNCTIONS}, {}
    for statement in statements:
        names = [target.id for target in targets(statement) if target.id != '_base_']
        before = {name: known.pop(name) for name in names if name in known}
        if not names or '{{' in ast.unparse(statement):
            continue
        scope = {'__builtins__': functions, **copy.deepcopy(known | before)}
        try:
            exec(compile(ast.Module([statement], []), '<config>', 'exec'), scope)
        except Exception:  # it depends on the bases, or is wrong, which running the file will tell
            continue
        for name in names:
            known[name] = bound(name, scope[name])
    return known


def _merged(name, value, child, file):
    theirs = copy.deepcopy(child.known[name])
    kinds = [next((kind for kind in KINDS if isinstance(one, kind)), None) for one in (value, theirs)]
    if None not in (value, theirs) and kinds[0] != kinds[1]:
        mine = KINDS.get(kinds[0], type(value).__name__)
        raise ConfigVariableError(
            f'{child.path} sets {name} to {KINDS.get(kinds[1], type(theirs).__name__)}, but {file.path} uses a '
            f'variable of that name as {mine}: choose another name, or give {mine}'
        )
    if isinstance(theirs, dict) and not theirs.pop('_delete_', False):
        return Config._merge_a_into_b(theirs, copy.deepcopy(value))
    return theirs
