"""What label files call the videos whose ids are paths."""


def other_names(video_ids):
    """The names that videos go by.

    Args:
        video_ids (Iterable[str]): Their ids, which may have folders in front.

    Returns:
        dict[str, str]: name -> video id. A name is the id itself; the id with ``_`` for ``/`` (Breakfast's
        P03/cam01/P03_cereals is P03_cam01_P03_cereals in its labels); the id without folders. A name that two videos
        would share is none, unless it is the id of one.
    """
    video_ids = list(video_ids)
    named = {}
    for video_id in video_ids:
        for name in {video_id.replace('/', '_'), video_id.rpartition('/')[2]}:
            named.setdefault(name, []).append(video_id)
    unique = {name: ids[0] for name, ids in named.items() if len(ids) == 1}
    return unique | {video_id: video_id for video_id in video_ids}
