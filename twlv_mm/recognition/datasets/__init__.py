"""Lists of recognition datasets: from official annotation files, or from your own videos.

data_set.py describes a dataset and its readers, kinetics.py to imagenet1k.py read one each, prepare.py writes the
lists, lists.py reads and checks them. own_videos.py finds your own videos and labels, own_lists.py splits them.
"""

from .data_set import DataSet, Split
from .diving48 import DIVING48
from .epic_kitchens100 import EPIC_KITCHENS100
from .hmdb51 import HMDB51
from .imagenet1k import IMAGENET1K
from .kinetics import KINETICS400, KINETICS600
from .lists import Sample, check_files, missing_files, read_list, write_list
from .mit import MIT
from .own_lists import make_lists
from .prepare import main, prepare
from .ssv2 import SSV2

__all__ = [
    'DIVING48',
    'EPIC_KITCHENS100',
    'HMDB51',
    'IMAGENET1K',
    'KINETICS400',
    'KINETICS600',
    'MIT',
    'SSV2',
    'DataSet',
    'Sample',
    'Split',
    'check_files',
    'main',
    'make_lists',
    'missing_files',
    'prepare',
    'read_list',
    'write_list',
]
