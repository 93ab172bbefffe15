"""ELAN's .eaf files: annotations in tiers, times in milliseconds (https://www.mpi.nl/tools/elan/EAFv3.0.xsd)."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from .. import checks
from ..files import write_bytes
from ..xml_files import XmlFile
from .video_annotations import file_name

UNITS = {'milliseconds': 1e-3}
XSI = 'http://www.w3.org/2001/XMLSchema-instance'


def read_elan(path, context):
    """Read each time-aligned annotation as a segment, labelled by its value, or by its tier's name if it has none.

    Args:
        path (Path): An .eaf file.
        context (Import): ``label_from`` names the only tier to read; all if None.

    Returns:
        list[VideoAnnotations]: the one video, with segments.
    """
    eaf = XmlFile(path)
    if eaf.root.tag != 'ANNOTATION_DOCUMENT':
        raise ValueError(f'{path} is not from ELAN: its root is {checks.shown(eaf.root.tag)}, not ANNOTATION_DOCUMENT')
    header = eaf.root.find('HEADER')
    unit = 'milliseconds' if header is None else header.get('TIME_UNITS', 'milliseconds')
    if unit not in UNITS:
        raise ValueError(f'{path}: times are in {checks.shown(unit)}; only milliseconds are supported')
    media = [] if header is None else header.findall('MEDIA_DESCRIPTOR')
    names = [one.get('MEDIA_URL') or one.get('RELATIVE_MEDIA_URL') or '' for one in media]
    names = [file_name(unquote(name), f'{path}, MEDIA_URL') for name in names if name]
    if len(names) > 1:
        context.note('an .eaf has several media files; the first is used', path)
    video = context.video(names[0] if names else Path(path).stem)
    # Offset of the video against the annotations' times.
    origin = media[0].get('TIME_ORIGIN', '0') if media else '0'
    origin = checks.number_in(origin, f'{path}, TIME_ORIGIN', least=-1e9, most=1e9) / 1000
    if origin:
        context.note(f'the times of an .eaf are shifted by its TIME_ORIGIN, {origin:g} s', path)
    slots = {
        eaf.attribute(slot, 'TIME_SLOT_ID'): slot.get('TIME_VALUE')
        for slot in eaf.root.iterfind('TIME_ORDER/TIME_SLOT')
    }
    tiers = {eaf.attribute(tier, 'TIER_ID'): tier for tier in eaf.root.iterfind('TIER')}
    if context.label_from is not None and context.label_from not in tiers:
        raise ValueError(f'{path} has no tier {context.label_from!r}; its tiers: {checks.shown(sorted(tiers), 200)}')
    for name, tier in tiers.items():
        if context.label_from in (None, name):
            _read_tier(eaf, name, tier, slots, origin, video, context)
    video.segments.sort(key=lambda one: (one.start, one.end))
    return [video]


def write_elan(videos, out):
    """Write ``<video_id>.eaf`` for each video: one tier, or one per label if segments overlap.

    Args:
        videos (list[VideoAnnotations]): With segments.
        out (Path): Folder.

    Returns:
        list[str]: what is lost.
    """
    for video in videos:
        root = ElementTree.Element(
            'ANNOTATION_DOCUMENT',
            {
                'AUTHOR': '',
                'DATE': datetime.now().astimezone().isoformat(timespec='seconds'),
                'FORMAT': '3.0',
                'VERSION': '3.0',
                'xmlns:xsi': XSI,
                'xsi:noNamespaceSchemaLocation': 'http://www.mpi.nl/tools/elan/EAFv3.0.xsd',
            },
        )
        header = ElementTree.SubElement(root, 'HEADER', MEDIA_FILE='', TIME_UNITS='milliseconds')
        name = quote(video.file)
        ElementTree.SubElement(
            header,
            'MEDIA_DESCRIPTOR',
            MEDIA_URL=f'file:///{name}',
            MIME_TYPE='video/*',
            RELATIVE_MEDIA_URL=f'./{name}',
        )
        order = ElementTree.SubElement(root, 'TIME_ORDER')
        count = 0
        for name, segments in _tiers(video.segments).items():
            tier = ElementTree.SubElement(root, 'TIER', LINGUISTIC_TYPE_REF='default-lt', TIER_ID=name)
            for segment in segments:
                count += 1
                slots = [f'ts{2 * count - 1}', f'ts{2 * count}']
                for slot, time in zip(slots, (segment.start, segment.end), strict=True):
                    ElementTree.SubElement(order, 'TIME_SLOT', TIME_SLOT_ID=slot, TIME_VALUE=str(round(time * 1000)))
                annotation = ElementTree.SubElement(
                    ElementTree.SubElement(tier, 'ANNOTATION'),
                    'ALIGNABLE_ANNOTATION',
                    ANNOTATION_ID=f'a{count}',
                    TIME_SLOT_REF1=slots[0],
                    TIME_SLOT_REF2=slots[1],
                )
                ElementTree.SubElement(annotation, 'ANNOTATION_VALUE').text = segment.label
        ElementTree.SubElement(
            root,
            'LINGUISTIC_TYPE',
            GRAPHIC_REFERENCES='false',
            LINGUISTIC_TYPE_ID='default-lt',
            TIME_ALIGNABLE='true',
        )
        ElementTree.indent(root, '    ')
        write_bytes(out / f'{video.video_id}.eaf', ElementTree.tostring(root, 'utf-8', xml_declaration=True))
    scored = sum(segment.score is not None for video in videos for segment in video.segments)
    return [f'the scores of {scored} segments, which ELAN cannot represent, are lost'] if scored else []


def _read_tier(eaf, name, tier, slots, origin, video, context):
    for annotation in tier.iterfind('ANNOTATION/*'):
        where = eaf.where(annotation)
        if annotation.tag == 'REF_ANNOTATION':
            context.note('an annotation of a dependent tier, without times, is left out', where)
            continue
        times = []
        for end in ('TIME_SLOT_REF1', 'TIME_SLOT_REF2'):
            slot = eaf.attribute(annotation, end)
            if slot not in slots:
                raise ValueError(f'{where}: time slot {checks.shown(slot)} does not exist')
            times.append(slots[slot])
        if None in times:
            context.note('an annotation without times is left out', where)
            continue
        start, end = (checks.count_in(time, f'{where}, a TIME_VALUE') / 1000 + origin for time in times)
        value = (annotation.findtext('ANNOTATION_VALUE') or '').strip()
        if not value:
            context.note('an annotation without a value is labelled by its tier', where)
        context.segment(video, ' '.join((value or name).split()), start, end, where)


def _tiers(segments):
    """Tier name -> segments that do not overlap, as ELAN requires."""
    ordered = sorted(segments, key=lambda one: (one.start, one.end))
    if all(round(one.end * 1000) <= round(other.start * 1000) for one, other in pairwise(ordered)):
        return {'actions': ordered}
    tiers, ends = {}, {}
    for segment in ordered:
        start, number = round(segment.start * 1000), 1
        while ends.get((segment.label, number), 0) > start:
            number += 1
        ends[segment.label, number] = round(segment.end * 1000)
        tiers.setdefault(segment.label if number == 1 else f'{segment.label} {number}', []).append(segment)
    return tiers
