"""Search results as json."""

import twlv_mm

SCHEMA_VERSION = 1


def answer_record(answer, folder):
    """An :class:`Answer` of searching ``folder``, for json; times are in seconds since a video's first frame."""
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
    """Pairs of duplicates in one or two collections, found with ``threshold``, for json."""
    return dict(
        schema_version=SCHEMA_VERSION,
        folders=[
            dict(folder=str(one.folder.path), videos=len(one.video_ids), missing=one.missing) for one in collections
        ],
        threshold=threshold,
        pairs=[pair._asdict() for pair in pairs],
        version=twlv_mm.__version__,
    )
