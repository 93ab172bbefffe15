"""What a search has found, as it is written to json."""

import twlv_mm

SCHEMA_VERSION = 1


def answer_record(answer, folder):
    """An answer as plain values.

    Args:
        answer (Answer): From :func:`find_moments`.
        folder (str): What was searched.

    Returns:
        dict: for json; times in seconds since a video's first frame.
    """
    query = answer.query
    record = dict(
        schema_version=SCHEMA_VERSION,
        query=dict(name=query.name, start=query.start, end=query.end, clips=query.num_clips),
        folder=str(folder),
        clips=answer.num_clips,
        videos=answer.num_videos,
        exact=answer.exact,
        left_out=answer.left_out,
        missing=answer.missing,
        version=twlv_mm.__version__,
    )
    for view, hits in answer.hits.items():
        record[view] = dict(typical_cosine=answer.typical_cosine[view], hits=[hit._asdict() for hit in hits])
    if len(answer.hits) == 2:
        record.update(same_best=answer.same_best, common=answer.common)
    return record


def duplicates_record(pairs, collections, threshold):
    """Pairs of videos as plain values.

    Args:
        pairs (list[Pair]): From :func:`find_duplicates`.
        collections (Sequence[Collection]): What was searched, one or two.
        threshold (float): As it was searched with.

    Returns:
        dict: for json.
    """
    return dict(
        schema_version=SCHEMA_VERSION,
        folders=[
            dict(folder=str(one.folder.path), videos=len(one.video_ids), missing=one.missing) for one in collections
        ],
        threshold=threshold,
        pairs=[pair._asdict() for pair in pairs],
        version=twlv_mm.__version__,
    )
