"""mmengine reads yaml with a loader that runs code in the file: ``!!python/object/apply:os.system``.

Here yaml is read with PyYAML's safe loader.
"""

import re
from itertools import accumulate

import yaml
from mmengine.fileio.handlers.yaml_handler import YamlHandler

from .pickles import UNNAMED
from .stand_ins import Refused, count_values

MAX_DEPTH = 100


def load_yaml(file, **kwargs):
    """Read an open yaml file as plain data; further arguments, such as another loader, are ignored."""
    name = getattr(file, 'name', UNNAMED)
    try:
        text = file.read()
        # At a thousand levels PyYAML takes seconds to fail, and its C loader crashes the process.
        steps = ((sign in '[{') - (sign in ']}') for sign in re.findall(r'[][{}]', text))
        if max(accumulate(steps), default=0) > MAX_DEPTH:
            raise ValueError(f'brackets are nested more than {MAX_DEPTH} deep')
        content = yaml.load(text, yaml.SafeLoader)
        count_values(content)
        return content
    except yaml.constructor.ConstructorError as error:
        raise ValueError(f'{name} holds more than plain data, which could run code: {error.problem}') from None
    except (yaml.YAMLError, Refused, RecursionError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f'{name} is not sound yaml: {error}') from None


def apply():
    """Make mmengine read yaml with ``load_yaml``."""
    YamlHandler.load_from_fileobj = staticmethod(load_yaml)
