"""CVAT's XML 1.1, for videos (tracks) and images (frames of a video), as documented on docs.cvat.ai."""

import re
from itertools import pairwise
from pathlib import PurePosixPath
from xml.etree import ElementTree

from .. import checks
from ..files import write_bytes
from ..xml_files import XmlFile
from .video_annotations import MAX_BOXES, MAX_FRAME, file_name

CORNERS = 'xtl', 'ytl', 'xbr', 'ybr'
WHOLE_PICTURE = (0.0, 0.0, 1.0, 1.0)


def read_cvat(path, context):
    """Read boxes of tracks and images; runs of frames with the same tag, and track lifetimes, are segments.

    Boxes between the listed boxes of a track are interpolated linearly, as in CVAT. The label is that of the track or
    box; with ``label_from``, the value of that attribute (its name if the value is 'true'), and boxes without it are
    left out.

    Args:
        path (Path): An .xml file.
        context (Import): Media, or frame rate.

    Returns:
        list[VideoAnnotations]: boxes, lifetimes and segments.
    """
    xml = XmlFile(path)
    if xml.root.tag != 'annotations':
        raise ValueError(f'{path} is not from CVAT: its root is {checks.shown(xml.root.tag)}, not annotations')
    sources = [element.text for element in xml.root.iterfind('meta//source') if (element.text or '').strip()]
    if len(set(sources)) > 1:
        raise ValueError(f'{path} holds several tasks: export each separately')
    source = file_name(sources[0].strip(), f'{path}, source') if sources else None
    size = _size(xml)
    videos = {}

    def video_of(name, where):
        if name is None:
            raise ValueError(f'{where}: no video is named: export the task, whose meta has a source')
        if name not in videos:
            videos[name] = context.video(name, size=size), context.clock(name, path)
        return videos[name]

    for track in xml.root.iterfind('track'):
        video, clock = video_of(source or _task_name(xml), xml.where(track))
        # Pixel coordinates refer to the size that CVAT saw, whatever size the local file has.
        _read_track(xml, track, video, clock, size or video.size, context)
    tags = {}
    for image in xml.root.iterfind('image'):
        where = xml.where(image)
        name, frame = _frame_of(xml.attribute(image, 'name'), source, where)
        video, clock = video_of(name, where)
        sides = tuple(_pixels(xml, image, side) for side in ('width', 'height'))
        video.size = video.size or sides
        time = sum(clock.span(frame, where)) / 2
        for box in image.iterfind('box'):
            for label in _labels(box, xml.attribute(box, 'label'), context):
                context.box(video, label, time, _corners(xml, box, sides), xml.where(box))
        for tag in image.iterfind('tag'):
            for label in _labels(tag, xml.attribute(tag, 'label'), context):
                tags.setdefault((name, label), set()).add(frame)
    for (name, label), frames in tags.items():
        video, clock = videos[name]
        for first, last in _runs(sorted(frames)):
            where = f'{path}, tag {label!r}'
            context.segment(video, label, clock.span(first, where)[0], clock.span(last, where)[1], where)
    for video, _ in videos.values():
        video.boxes.sort(key=lambda one: one.time)
        video.segments.sort(key=lambda one: (one.start, one.end))
    return [video for video, _ in videos.values()]


def write_cvat(videos, out, clocks):
    """Write ``<video_id>.xml`` for each video, 'CVAT for video 1.1'.

    A box without a track becomes a track of one frame. A segment, which CVAT cannot represent, becomes a track of boxes
    that cover the frame.

    Args:
        videos (list[VideoAnnotations]): With sizes.
        out (Path): Folder.
        clocks (dict[str, Clock]): By video id.

    Returns:
        list[str]: what is lost or replaced.
    """
    counts = {}
    for video in videos:
        width, height = video.size
        clock = clocks[video.video_id]
        tracks = _tracks(video, clock)
        root = ElementTree.Element('annotations')
        ElementTree.SubElement(root, 'version').text = '1.1'
        task = ElementTree.SubElement(ElementTree.SubElement(root, 'meta'), 'task')
        ElementTree.SubElement(task, 'name').text = video.video_id
        ElementTree.SubElement(task, 'mode').text = 'interpolation'
        labels = ElementTree.SubElement(task, 'labels')
        for label in sorted({label for label, _ in tracks}):
            ElementTree.SubElement(ElementTree.SubElement(labels, 'label'), 'name').text = label
        sides = ElementTree.SubElement(task, 'original_size')
        ElementTree.SubElement(sides, 'width').text = f'{width:g}'
        ElementTree.SubElement(sides, 'height').text = f'{height:g}'
        ElementTree.SubElement(task, 'source').text = video.file
        for number, (label, boxes) in enumerate(tracks):
            track = ElementTree.SubElement(root, 'track', id=str(number), label=label, source='file')
            for frame, corners, outside in boxes:
                edges = (edge * side for edge, side in zip(corners, (width, height) * 2, strict=True))
                ElementTree.SubElement(
                    track,
                    'box',
                    dict(frame=str(frame), keyframe='1', outside=str(int(outside)), occluded='0')
                    | {name: f'{edge:.2f}' for name, edge in zip(CORNERS, edges, strict=True)}
                    | dict(z_order='0'),
                )
        ElementTree.indent(root)
        write_bytes(out / f'{video.video_id}.xml', ElementTree.tostring(root, 'utf-8', xml_declaration=True))
        counts['segments'] = counts.get('segments', 0) + len(video.segments)
        counts['scores'] = counts.get('scores', 0) + sum(
            one.score is not None for one in [*video.segments, *video.boxes]
        )
    sentences = dict(
        segments='{} segments, which CVAT cannot represent, became tracks of boxes that cover the frame',
        scores='the scores of {} annotations, which CVAT cannot represent, are lost',
    )
    return [sentence.format(counts[name]) for name, sentence in sentences.items() if counts.get(name)]


def _size(xml):
    element = next(xml.root.iterfind('meta//original_size'), None)
    if element is None:
        return None
    return tuple(
        checks.number_in(element.findtext(side) or '', f'{xml.where(element)}, {side}', least=1, most=1e5)
        for side in ('width', 'height')
    )


def _task_name(xml):
    name = next((element.text for element in xml.root.iterfind('meta/*/name') if (element.text or '').strip()), None)
    return None if name is None else file_name(name.strip(), f'{xml.path}, the name of the task')


def _pixels(xml, element, name):
    return checks.number_in(xml.attribute(element, name), f'{xml.where(element)}, {name}', least=1, most=1e5)


def _corners(xml, box, size):
    if box.get('rotation', '0').strip(' 0.'):
        raise ValueError(f'{xml.where(box)}: rotated boxes are not supported')
    edges = [checks.number_in(xml.attribute(box, name), f'{xml.where(box)}, {name}') for name in CORNERS]
    if size is None:
        raise ValueError(f'{xml.where(box)}: the frame size is unknown: give --videos')
    return [edge / side for edge, side in zip(edges, (*size, *size), strict=True)]


def _labels(element, label, context):
    if context.label_from is None:
        return [label]
    found = []
    for attribute in element.iterfind('attribute'):
        value = (attribute.text or '').strip()
        if attribute.get('name') == context.label_from and value and value.lower() != 'false':
            found.append(context.label_from if value.lower() == 'true' else value)
    return found


def _frame(xml, box):
    return checks.count_in(xml.attribute(box, 'frame'), f'{xml.where(box)}, frame', most=MAX_FRAME)


def _read_track(xml, track, video, clock, size, context):
    label, name = xml.attribute(track, 'label'), track.get('id', '0')
    listed = []
    for box in track.iterfind('box'):
        labels = [] if box.get('outside') == '1' else _labels(box, label, context)
        listed.append((_frame(xml, box), _corners(xml, box, size), labels, box))
    for kind in {element.tag for element in track} - {'box', 'attribute'}:
        context.note(f'a track of {checks.shown(kind)[1:-1]} is left out; only boxes are read', xml.where(track))
    listed.sort(key=lambda one: one[0])
    frames = {}
    for (frame, corners, labels, box), following in pairwise([*listed, None]):
        ending = frame + 1 if following is None else max(following[0], frame + 1)
        if not labels:
            continue
        if len(video.boxes) + (ending - frame) * len(labels) > MAX_BOXES:
            raise ValueError(f'{xml.where(box)}: {video.file} has more than {MAX_BOXES:,} boxes')
        where = xml.where(box)
        for one in range(frame, ending):
            share = (one - frame) / (ending - frame) if following is not None else 0
            between = corners
            if share:
                between = [a + share * (b - a) for a, b in zip(corners, following[1], strict=True)]
            time = sum(clock.span(one, where)) / 2
            for each in labels:
                context.box(video, each, time, between, where, f'{name}')
                frames.setdefault(each, []).append(one)
    for each, its in frames.items():
        for first, last in _runs(its):
            where = xml.where(track)
            context.segment(video, each, clock.span(first, where)[0], clock.span(last, where)[1], where, lifetime=True)


def _frame_of(name, source, where):
    """Video and frame of an image: 'frame_000012' of the task's video, or 'video_01/000012.jpg'."""
    path = PurePosixPath(checks.name(name, where).replace('\\', '/'))
    match = re.search(r'([0-9]{1,8})$', path.stem)
    if match is None:
        raise ValueError(f'{where}: {checks.shown(name)} does not end in a frame number')
    return source or (path.parent.name or None), checks.count(int(match[1]), where, most=MAX_FRAME)


def _runs(frames):
    """First and last frame of each run of consecutive frames."""
    runs = []
    for frame in frames:
        if runs and frame - runs[-1][1] <= 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return runs


def _tracks(video, clock):
    """Label and (frame, corners, outside) of each track. CVAT refuses frames after the video's last."""
    count = clock.count(video.duration) or MAX_FRAME
    tracks = {}
    for place, box in enumerate(video.boxes):
        frame = min(clock.frame(box.time), count - 1)
        tracks.setdefault((box.label, box.track or f'box {place}'), {})[frame] = box.corners
    written = []
    for (label, _), boxes in tracks.items():
        listed = []
        for (frame, corners), following in pairwise([*sorted(boxes.items()), (count, None)]):
            listed.append((frame, corners, False))
            if following[0] > frame + 1:
                listed.append((frame + 1, corners, True))
        written.append((label, listed))
    for segment in video.segments:
        first = min(clock.frame(segment.start), count - 1)
        end = max(clock.frame(segment.end), first + 1)
        listed = [(first, WHOLE_PICTURE, False)]
        if end < count:
            listed.append((end, WHOLE_PICTURE, True))
        elif count - 1 > first:
            listed.append((count - 1, WHOLE_PICTURE, False))
        written.append((segment.label, listed))
    return written
