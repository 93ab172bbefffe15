"""What label files call the videos whose ids are paths."""


def names_of(video_id):
    """The names that a video goes by.

    Args:
        video_id (str): Its id, which may have folders in front.

    Returns:
        set[str]: the id; the id with ``_`` for ``/``; the id without folders.
    """
    return {video_id, video_id.replace('/', '_'), video_id.rpartition('/')[2]}


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
        for name in names_of(video_id):
            named.setdefault(name, []).append(video_id)
    unique = {name: ids[0] for name, ids in named.items() if len(ids) == 1}
    return unique | {video_id: video_id for video_id in video_ids}
