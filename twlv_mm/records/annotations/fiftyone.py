"""FiftyOne's FiftyOneTemporalDetectionDataset (segments) and FiftyOneVideoLabelsDataset (boxes)."""

from ..files import write_json


def write_fiftyone(videos, out, clocks):
    """Write ``labels.json`` of segments, or ``labels/<video_id>.json`` of boxes.

    Args:
        videos (list[VideoAnnotations]): All with segments, or all with boxes.
        out (Path): Folder.
        clocks (dict[str, Clock]): By video id; needed for boxes.

    Returns:
        list[str]: how to load the result.
    """
    if not any(video.boxes for video in videos):
        labels = {
            video.video_id: [
                dict(label=one.label, timestamps=[round(one.start, 3), round(one.end, 3)])
                | ({} if one.score is None else dict(confidence=one.score))
                for one in video.segments
            ]
            for video in videos
        }
        classes = sorted({one.label for video in videos for one in video.segments})
        # Labels are names, not indices into the classes.
        write_json(out / 'labels.json', dict(labels=labels))
        return [
            f'{len(classes)} classes; read it with fiftyone.Dataset.from_dir(dataset_type='
            f"fiftyone.types.FiftyOneTemporalDetectionDataset, data_path=VIDEOS, labels_path='{out}/labels.json')"
        ]
    (out / 'labels').mkdir(exist_ok=True)
    for video in videos:
        tracks, frames = {}, {}
        for box in video.boxes:
            x1, y1, x2, y2 = box.corners
            found = dict(label=box.label, bounding_box=dict(top_left=dict(x=x1, y=y1), bottom_right=dict(x=x2, y=y2)))
            if box.score is not None:
                found['confidence'] = box.score
            if box.track is not None:
                found['index'] = tracks.setdefault((box.label, box.track), len(tracks) + 1)
            frames.setdefault(clocks[video.video_id].frame(box.time) + 1, []).append(found)  # from 1
        content = {
            str(number): dict(frame_number=number, objects=dict(objects=objects))
            for number, objects in sorted(frames.items())
        }
        write_json(out / 'labels' / f'{video.video_id}.json', dict(frames=content), indent=None)
    return [
        'read it with fiftyone.Dataset.from_dir(dataset_type=fiftyone.types.FiftyOneVideoLabelsDataset, '
        f"data_path=VIDEOS, labels_path='{out}/labels')"
    ]
