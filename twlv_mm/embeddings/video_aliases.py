"""Other names of videos: how annotation files name videos whose ids are paths."""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """Naming rule of a dataset's annotations."""

    dataset: str  # its name
    pattern: str  # regular expression for the end of a video id
    name: str  # name in the annotations, with groups of the pattern
    # Whether a name with several matching files means the first; otherwise it is dropped.
    first_of_several: bool = False


RULES = (
    Rule('ActivityNet', r'v_([^/]+)', r'\1'),
    # Two lenses of one stereo camera; the labels do not distinguish them: ch0 if present.
    Rule('Breakfast', r'(P\d+)/stereo/(P\d+_[^/]+)_ch[01]', r'\1_stereo01_\2', first_of_several=True),
)


def aliases_of(video_id):
    """All names (set) of a video id: itself, its file name joined by ``_`` with any number of its folders, and those by
    ``RULES``.
    """
    parts = video_id.split('/')
    joined = {'_'.join(parts[first:]) for first in range(len(parts))}
    return {video_id, *joined, *(name for _, name in _ruled(video_id))}


def ids_by_alias(video_ids):
    """Map the aliases of videos to their ids.

    A name shared by two videos is dropped, unless it is the id of one, or its rule takes the first. For example,
    Breakfast's P03/cam01/P03_cereals has the alias P03_cam01_P03_cereals, as in its labels.
    """
    video_ids = sorted(video_ids)
    named = {}
    for video_id in video_ids:
        for name in aliases_of(video_id):
            named.setdefault(name, []).append(video_id)
    first = {name: ids[0] for name, ids in named.items() if len(ids) == 1 or _means_first(ids[0], name)}
    return first | {video_id: video_id for video_id in video_ids}


def second_views(video_ids):
    """Sorted ids without an alias because their rule takes the first of several files."""
    video_ids = sorted(video_ids)
    names = ids_by_alias(video_ids)
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
