"""Reading the predictions.json of a localization test: ActivityNet's format, with the ground truth."""

from twlv_mm.records import checks, parsing, read_json


def read_localization(path):
    """Annotated and predicted actions: two dicts, video id -> entries for :func:`parse_actions`."""
    with parsing(path):
        contents = read_json(path, dict)
        truth = checks.instance(contents.get('external_data') or {}, dict, 'external_data').get('truth')
        if truth is None:
            raise ValueError('it has no external_data.truth: run twlv test again with this version')
        return checks.instance(truth, dict, 'truth'), checks.instance(contents['results'], dict, 'results')


def parse_actions(entries, video_id):
    """label, start, end, and score where there is one, of each action of a video."""
    actions = []
    for one in checks.instance(entries, list, video_id):
        start, end = (checks.time(value, f'{video_id}, a time') for value in one['segment'])
        if end < start:
            raise ValueError(f'{video_id} has an action that ends at {end:g} s, before it starts at {start:g} s')
        action = dict(label=checks.name(one['label'], f'{video_id}, a class'), start=start, end=end)
        actions.append(action | ({'score': checks.number(one['score'], video_id)} if 'score' in one else {}))
    return actions
