"""mmengine reads yaml with a loader that runs what a file says: ``!!python/object/apply:os.system``.

A config in yaml is data, like one in json: here it is read with PyYAML's safe loader.
"""

import re
from itertools import accumulate

import yaml
from mmengine.fileio.handlers.yaml_handler import YamlHandler

from .pickles import UNNAMED
from .stand_ins import Refused, count_values

MAX_DEPTH = 100


def load_yaml(file, **kwargs):
    """Read yaml without running what it says.

    Args:
        file (IO): An open file.
        kwargs: Ignored: a loader would be among them.

    Returns:
        Any: dicts, lists, strings, numbers, dates.

    Raises:
        ValueError: if the file is not sound yaml, or asks for Python's objects.
    """
    name = getattr(file, 'name', UNNAMED)
    try:
        text = file.read()
        # Of a thousand PyYAML takes seconds to say that they are too many; its loader in C ends the process.
        steps = ((sign in '[{') - (sign in ']}') for sign in re.findall(r'[][{}]', text))
        if max(accumulate(steps), default=0) > MAX_DEPTH:
            raise ValueError(f'brackets are nested more than {MAX_DEPTH} deep')
        content = yaml.load(text, yaml.SafeLoader)
        count_values(content)
        return content
    except yaml.constructor.ConstructorError as error:
        raise ValueError(f'{name} asks for more than plain data, which could run code: {error.problem}') from None
    except (yaml.YAMLError, Refused, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f'{name} is not sound yaml: {error}') from None


def apply():
    """Let mmengine read yaml with ``load_yaml``."""
    YamlHandler.load_from_fileobj = staticmethod(load_yaml)
