"""The console command ``twlv``: the tools of this project by short names, and its configs.

It is outside the package because importing ``twlv_mm`` imports torch, which a help page does not need.
"""

import sys

# python -m puts the current folder first on the path: a torch.py there would be imported in place of torch.
if __name__ == '__main__' and __spec__ is not None and not getattr(sys.flags, 'safe_path', False):
    sys.path.pop(0)

import ast
import difflib
import fnmatch
import os
import runpy
import signal
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

USAGE = """usage: twlv COMMAND [ARGUMENTS]
       twlv COMMAND --help    arguments of a command
"""
# Group -> command -> tool, what it does.
COMMANDS = {
    'Your own data': {
        'lists': ('make_lists.py', 'lists of your own videos, split, from folders or a table'),
        'annotations': ('convert_annotations.py', 'from and to ELAN, CVAT, Label Studio, VIA, csv, FiftyOne'),
    },
    'From videos to embeddings': {
        'embed': ('embed.py', 'embed a few videos, and print the vectors'),
        'extract': ('extract.py', 'embed collections of videos into a folder'),
        'search': ('search.py', 'find similar moments, and duplicate videos'),
        'visualize': ('visualize.py', 'plot embeddings, and test whether they capture the direction of motion'),
    },
    'Train, test, use': {
        'train': ('train.py', 'train the model of a config'),
        'test': ('test.py', 'test it'),
        'folds': ('run_folds.py', 'train and test on each fold of a data set'),
        'infer': ('infer.py', 'run a trained model on your own videos'),
        'configs': (None, 'list the configs and what each is for'),
    },
    'Compare encoders': {
        'evaluate': ('evaluate_all.py', 'run every task on one encoder'),
        'report': ('report.py', 'a page with the results of any number of runs'),
        'errors': ('errors.py', "a page with a test's errors"),
        'benchmark': ('benchmark.py', 'measure speed'),
        'convert': ('convert_checkpoint.py', 'check or convert the weights of an encoder'),
        'onnx': ('export_onnx.py', 'export SqueezeTime to ONNX'),
    },
    'Try it without data': {
        'synthetic': ('make_synthetic.py', 'render labelled videos'),
        'small': ('make_small.py', 'train a small encoder on them'),
    },
    'Help': {
        'doctor': (None, 'installed versions, what is missing for which task, and the command that installs it'),
        'completion': (None, 'completion for bash or zsh: eval "$(twlv completion bash)"'),
    },
}
TOOLS = {name: tool for group in COMMANDS.values() for name, (tool, _) in group.items()}
COMPLETION = """{zsh}_twlv() {{
    local words
    if [ "$COMP_CWORD" = 1 ]; then words='{commands}'
    else case "${{COMP_WORDS[1]}}" in train|test|folds|infer|extract) words='{configs}';; esac; fi
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _twlv twlv"""


def main():
    """Run the command that is named on the command line."""
    command, *args = sys.argv[1:] or ['--help']
    if command not in TOOLS or not TOOLS[command]:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ends quietly if ``head`` has read enough
    if command in ('-h', '--help', 'help'):
        print(help_page())
    elif command == '--version':
        print(_version())
    elif command == 'configs':
        _list_configs(args)
    elif command == 'completion':
        _completion(args)
    elif command == 'doctor':
        runpy.run_module('twlv_mm', run_name='__main__', alter_sys=True)
    elif command in TOOLS:
        _run_tool(command, args)
    else:
        close = difflib.get_close_matches(command, TOOLS, n=1)
        _fail(f'there is no command {command!r}{f"; did you mean {close[0]}?" if close else ""}\n\n{help_page()}')


def help_page():
    lines = [USAGE]
    for title, group in COMMANDS.items():
        lines += [f'{title}:', *(f'  {name:12}{purpose}' for name, (_, purpose) in group.items()), '']
    return '\n'.join(lines).rstrip()


def resources():
    """The folder with ``configs`` and ``tools``, in the package, linked or copied."""
    spec = find_spec('twlv_mm')  # does not import it
    if spec is None:
        _fail('twlv_mm is not installed in this Python: pip install twlv-i')
    return Path(spec.submodule_search_locations[0]) / '.mim'


def config_path(argument):
    """The path of a shipped config for an argument such as ``twlv/k400_linear.py``; other arguments unchanged."""
    shipped = resources() / 'configs' / argument
    if not argument.endswith('.py') or os.path.exists(argument):
        return argument
    if shipped.is_file():
        return str(shipped)
    if close := difflib.get_close_matches(argument, configs(), n=1, cutoff=0.8):
        _fail(f'there is no config {argument}; did you mean {close[0]}?')
    return argument


def configs():
    """The purposes of the shipped configs by name, such as 'twlv/k400_linear.py'."""
    root = resources() / 'configs'
    files = sorted(path for path in root.glob('*/*.py') if not path.parent.name.startswith('_'))
    return {path.relative_to(root).as_posix(): _purpose(path) for path in files}


def _run_tool(command, args):
    # Not runpy.run_path, which would show the file's name instead of 'twlv COMMAND' in --help.
    path = resources() / 'tools' / TOOLS[command]
    sys.argv = [f'twlv {command}', *map(config_path, args)]
    main_module = sys.modules['__main__'] = ModuleType('__main__')
    main_module.__file__ = str(path)
    exec(compile(path.read_bytes(), path, 'exec'), main_module.__dict__)


def _purpose(path):
    """The first sentence of a config's leading comment, or a reference to its base."""
    text = path.read_text(encoding='utf-8')
    comment = []
    for line in text.splitlines():
        if not line.startswith('#'):
            break
        comment.append(line.removeprefix('#').strip())
    if comment:
        return ' '.join(comment).split('. ')[0].rstrip('.')
    bases = [
        node.value for node in ast.parse(text).body if isinstance(node, ast.Assign) and node.targets[0].id == '_base_'
    ]
    return f'As {ast.literal_eval(bases[0]).removeprefix("./")}' if bases else ''


def _list_configs(args):
    patterns = args or ['*']
    found = {
        name: purpose for name, purpose in configs().items() if any(fnmatch.fnmatch(name, f'*{p}*') for p in patterns)
    }
    if not found:
        _fail(f'no config matches {" or ".join(patterns)}: twlv configs lists them')
    width = max(map(len, found)) + 2
    for name, purpose in found.items():
        print(f'{name:{width}}{purpose}')


def _completion(args):
    if args not in (['bash'], ['zsh']):
        _fail('name the shell: twlv completion bash, or zsh')
    zsh = 'autoload -U +X bashcompinit && bashcompinit\n' if args == ['zsh'] else ''
    print(COMPLETION.format(zsh=zsh, commands=' '.join(TOOLS), configs=' '.join(configs())))


def _version():
    from importlib.metadata import version

    return version('twlv-i')


def _fail(text):
    print(f'error: {text}', file=sys.stderr)
    sys.exit(2)


if __name__ == '__main__':
    main()
