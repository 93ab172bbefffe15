"""What label files call the videos whose ids are paths."""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """How the labels of a data set call files that have other names.

    Attributes:
        dataset (str): Its name.
        pattern (str): Of the end of a video's id.
        name (str): What the labels call it, with the pattern's groups.
        first_of_several (bool): Whether a name that several files match means the first; if not, it is left out.
    """

    dataset: str
    pattern: str
    name: str
    first_of_several: bool = False


RULES = (
    Rule('ActivityNet', r'v_([^/]+)', r'\1'),
    # Two lenses at the same moments; the labels do not say which: ch0 where it is there.
    Rule('Breakfast', r'(P\d+)/stereo/(P\d+_[^/]+)_ch[01]', r'\1_stereo01_\2', first_of_several=True),
)


def names_of(video_id):
    """The names that a video goes by.

    Args:
        video_id (str): Its id, which may have folders in front.

    Returns:
        set[str]: the id; the file's name behind none, one or more of its folders, with ``_`` for ``/``; what
            ``RULES`` make of it.
    """
    parts = video_id.split('/')
    joined = {'_'.join(parts[first:]) for first in range(len(parts))}
    return {video_id, *joined, *(name for _, name in _ruled(video_id))}


def other_names(video_ids):
    """The names that videos go by.

    Args:
        video_ids (Iterable[str]): Their ids, which may have folders in front.

    Returns:
        dict[str, str]: name -> video id; names as :func:`names_of` has them. Breakfast's P03/cam01/P03_cereals is
        P03_cam01_P03_cereals in its labels, for example. A name that two videos share is left out, unless it is the id
        of one of them, or its rule says that it means the first.
    """
    video_ids = sorted(video_ids)
    named = {}
    for video_id in video_ids:
        for name in names_of(video_id):
            named.setdefault(name, []).append(video_id)
    first = {name: ids[0] for name, ids in named.items() if len(ids) == 1 or _means_first(ids[0], name)}
    return first | {video_id: video_id for video_id in video_ids}


def second_files(video_ids):
    """The ids that their rule passes over, as the first of several files has the name.

    Args:
        video_ids (Iterable[str]): As for :func:`other_names`.

    Returns:
        list[str]: sorted.
    """
    video_ids = sorted(video_ids)
    names = other_names(video_ids)
    return [
        video_id
        for video_id in video_ids
        if any(rule.first_of_several and names.get(name) != video_id for rule, name in _ruled(video_id))
    ]


def _ruled(video_id):
    for rule in RULES:
        match = re.search(rf'(?:^|/){rule.pattern}$', video_id)
        if match:
            yield rule, match.expand(rule.name)


def _means_first(video_id, name):
    return any(rule.first_of_several and name == one for rule, one in _ruled(video_id))
