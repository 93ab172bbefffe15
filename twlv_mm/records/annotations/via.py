"""VGG Image Annotator 3: projects with temporal segments and rectangles at points in time."""

from .. import checks
from .video_annotations import file_name

RECTANGLE = 2
BY_OPTION = {2, 3, 4}  # checkboxes, radio buttons, lists: values are option ids


def read_via(path, project, context):
    """Read a project.

    Args:
        path (Path): The file.
        project (dict): Its content, with file, view, attribute and metadata.
        context (Import): ``label_from`` names the attribute whose values are the labels; if None, the only one of its
            kind (for segments, or for boxes).

    Returns:
        list[VideoAnnotations]: segments, boxes.
    """
    parts = ('file', 'view', 'attribute', 'metadata')
    files, views, attributes, metadata = (checks.instance(project.get(name), dict, f'{path}, {name}') for name in parts)
    videos = {}
    for view_id, view in views.items():
        where = f'{path}, view {view_id}'
        fids = checks.instance(checks.instance(view, dict, where).get('fid_list'), list, f'{where}, fid_list')
        if not fids:
            continue
        if len(fids) > 1:
            context.note('a view has several files; the first is used', where)
        if str(fids[0]) not in files:
            raise ValueError(f'{where}: file {checks.shown(fids[0])} does not exist')
        file = checks.instance(files[str(fids[0])], dict, where)
        videos[view_id] = context.video(file_name(file.get('fname') or file.get('src'), f'{where}, fname'))
    for key, entry in metadata.items():
        where = f'{path}, metadata {checks.shown(key)}'
        view_id = str(checks.instance(entry, dict, where).get('vid'))
        if view_id not in videos:
            raise ValueError(f'{where}: view {checks.shown(view_id)} does not exist')
        _read_entry(entry, videos[view_id], attributes, where, context)
    for video in videos.values():
        video.segments.sort(key=lambda one: (one.start, one.end))
        video.boxes.sort(key=lambda one: one.time)
    return list(videos.values())


def _read_entry(entry, video, attributes, where, context):
    times = checks.array(entry.get('z', []), f'{where}, z', 1).tolist()
    shape = checks.array(entry.get('xy', []), f'{where}, xy', 1).tolist()
    if len(times) not in (1, 2) or (len(times) == 2) == bool(shape):
        context.note('an entry that is neither a temporal segment nor a rectangle is left out', where)
        return
    anchor = 'FILE1_Z2_XY0' if not shape else 'FILE1_Z1_XY1'
    labels = _labels(entry, attributes, anchor, where, context)
    if not labels:
        context.note('an entry without a label is left out', where)
    for label in labels:
        if not shape:
            context.segment(video, label, *times, where)
        elif shape[0] != RECTANGLE or len(shape) != 5:
            context.note('a shape other than a rectangle is left out', where)
        else:
            if video.size is None:
                raise ValueError(f'{where}: the frame size is unknown: give --videos')
            (width, height), (x, y, wide, high) = video.size, shape[1:]
            corners = x / width, y / height, (x + wide) / width, (y + high) / height
            context.box(video, label, times[0], corners, where)


def _labels(entry, attributes, anchor, where, context):
    values = checks.instance(entry.get('av'), dict, f'{where}, av')
    labels, used = [], []
    for key, value in values.items():
        attribute = checks.instance(attributes.get(str(key)), dict, f'{where}, its attribute {checks.shown(key)}')
        name = checks.name(attribute.get('aname'), f'{where}, the name of an attribute')
        fitting = attribute.get('anchor_id') == anchor if context.label_from is None else name == context.label_from
        text = checks.instance(value, str, f'{where}, the value of {name!r}').strip()
        if not fitting or not text:
            continue
        used.append(name)
        if attribute.get('type') in BY_OPTION:
            options = checks.instance(attribute.get('options'), dict, f'{where}, the options of {name!r}')
            # One that was taken out of the list of options leaves its id behind.
            labels += [str(options.get(one, one)) for one in text.split(',') if one]
        else:
            labels.append(text)
    if len(used) > 1:
        raise ValueError(
            f'{where}: {" and ".join(map(repr, used))} could be the label: give --label-from with one of them'
        )
    return [' '.join(label.split()) for label in labels]
