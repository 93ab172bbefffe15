"""Dataset of keyframes of videos with boxes and actions, in AVA's format."""

import logging
import os
from functools import cache

import numpy as np
from mmaction.datasets import BaseActionDataset
from mmengine.logging import print_log

from twlv_mm.registry import DATASETS
from twlv_mm.video import VideoError, is_video

from .ava_annotations import MILLISECONDS, image_key, read_action_names, read_ava_csv, read_excluded
from .keyframes import group_keyframes, group_tracks
from .proposals import choose_proposals, read_proposals


@DATASETS.register_module()
class AVAVideoDataset(BaseActionDataset):
    """The keyframes of AVA's files that have boxes with actions; replaces mmaction2's AVADataset.

    That one appends '.mp4' to video names, assumes 30 frames per second, shifts frames by its start_index, and reads
    neither time stamps with decimals nor rows without a person. If a video or proposal is missing, it substitutes
    something else or stops in the middle of an epoch; here :class:`CheckAVAHook
    <twlv_mm.detection.data_check.CheckAVAHook>` reports it before the run.

    An item, before the pipeline, is a dict of video_id, timestamp (int, or float if it has decimals: seconds of the
    film), img_key ('video,0902'), gt_bboxes ((n, 4) x1, y1, x2, y2 normalised to [0, 1]), gt_labels ((n, C) 0 or
    1), entity_ids ((n,), -1 where unknown), offset_seconds, modality and start_index; filename, or with ``use_frames``
    frame_dir, filename_tmpl, total_frames and fps; proposals ((m, 4) normalised) and scores with a ``proposal_file``;
    tracks, for each box a tuple of seconds of the film (k,) and boxes (k, 4), with a ``tube_file``.

    Classes are the ids of ``label_file``: class c of AVA is column c, and column 0 and those of ids that the list lacks
    are never used. So C is 81 with AVA's list of 80 and with that of 60, and mmaction2's AVAMetric can read the
    predictions. Actions that are not in the list are left out, as in the evaluation, and so are boxes without other
    actions, keyframes without other boxes, and boxes without area.

    Args:
        ann_file (str): A csv, see :func:`~twlv_mm.detection.ava_annotations.read_ava_csv`.
        pipeline (list[dict]): Transforms, starting with :class:`~twlv_mm.detection.transforms.SampleKeyframeClip`.
        data_prefix (dict): ``img`` is the folder of videos, ``<video_id>.<video suffix>``, or with ``use_frames`` of
            folders of frames, ``<video_id>/``.
        label_file (str): A .pbtxt with the names and ids of the actions.
        exclude_file (str, optional): A csv of keyframes that do not count.
        proposal_file (str, optional): Boxes of a person detector, see
            :func:`~twlv_mm.detection.proposals.read_proposals`.
        person_det_score_thr (float): Proposals with a lower score are left out, except the best of a keyframe.
        num_max_proposals (int): Maximum number of proposals of a keyframe.
        tube_file (str, optional): A csv as ann_file with boxes at every frame; ids of persons connect them to ann_file.
        offset_seconds (float): Time in the film of a file's first frame: 900 for AVA's usual cuts, which begin at
            minute 15, 0 for whole films.
        skip_missing (bool): Leave out keyframes without their video or proposals, and log them. If False, reading one
            is an error.
        use_frames (bool): Read images instead of videos.
        fps (float): With ``use_frames``, images per second.
        filename_tmpl (str): With ``use_frames``, names of images; numbers start at 1.
        **kwargs: test_mode, indices, see mmaction2's BaseActionDataset.

    Attributes:
        metainfo (dict): classes (tuple of C names, '' for unused columns), source (ann_file) and folder.
        keyframes (Keyframes): All keyframes of ann_file, including ones that skip_missing leaves out.
        videos (dict): Video id -> file or folder; None where it is missing.
        proposals (dict | None): Keyframe -> proposals.
    """

    def __init__(
        self,
        ann_file,
        pipeline,
        data_prefix,
        label_file,
        *,
        exclude_file=None,
        proposal_file=None,
        person_det_score_thr=0.9,
        num_max_proposals=1000,
        tube_file=None,
        offset_seconds=900,
        skip_missing=False,
        use_frames=False,
        fps=30,
        filename_tmpl='img_{:05}.jpg',
        **kwargs,
    ):
        self.label_file = label_file
        self.exclude_file = exclude_file
        self.proposal_file = proposal_file
        self.person_det_score_thr = person_det_score_thr
        self.num_max_proposals = num_max_proposals
        self.tube_file = tube_file
        self.offset_seconds = offset_seconds
        self.choices = dict(offset_seconds=offset_seconds)  # for results.json
        self.skip_missing = skip_missing
        self.use_frames = use_frames
        self.fps = fps
        self.filename_tmpl = filename_tmpl
        super().__init__(
            str(ann_file), pipeline=pipeline, data_prefix=data_prefix, start_index=int(use_frames), **kwargs
        )

    def load_data_list(self):
        """Items of video_id, timestamp, img_key and ``keyframe``, the index in :attr:`keyframes`."""
        names = read_action_names(self.label_file)
        self._set_num_classes(max(names) + 1)
        excluded = read_excluded(self.exclude_file) if self.exclude_file else set()
        self.keyframes = group_keyframes(read_ava_csv(self.ann_file), names, excluded)
        if not self.keyframes.images:
            raise ValueError(
                f'{self.ann_file} has no keyframe with a box and an action that counts: {len(excluded)} time stamps '
                f'are excluded ({self.exclude_file}), and the {len(names)} actions that count have ids from '
                f'{min(names)} to {max(names)} ({self.label_file})'
            )
        self.videos = find_videos(self.data_prefix['img'], self.keyframes.video_ids, self.use_frames)
        self.proposals = read_proposals(self.proposal_file) if self.proposal_file else None
        self.tracks = group_tracks(read_ava_csv(self.tube_file)) if self.tube_file else None
        self._metainfo.update(
            classes=tuple(names.get(column, '') for column in range(self.num_classes)),
            source=self.ann_file,
            folder=self.data_prefix['img'],
        )
        return self._present([_item(place, *image) for place, image in enumerate(self.keyframes.images)])

    def get_data_info(self, idx):
        item = super().get_data_info(idx)
        item.update(self.keyframes.boxes_of(item.pop('keyframe'), self.num_classes))
        item.update(self._source(item['video_id']), offset_seconds=self.offset_seconds)
        if self.proposals is not None:
            item.update(self._proposals(item))
        if self.tracks is not None:
            none = np.empty(0), np.empty((0, 4), np.float32)
            item['tracks'] = [self.tracks.get((item['video_id'], id_), none) for id_ in item['entity_ids'].tolist()]
        return item

    def _set_num_classes(self, found):
        if self.num_classes not in (None, found):
            raise ValueError(
                f'num_classes is {self.num_classes}, but the largest id in {self.label_file} is {found - 1}: with the '
                f'unused column 0, that makes num_classes={found}. Ids that the list leaves out have columns, too, so '
                '60 of 80 actions also make 81'
            )
        self.num_classes = found

    def _source(self, video_id):
        path = self.videos[video_id]
        if path is None:
            raise FileNotFoundError(
                f'{self.data_prefix["img"]} has no video {video_id}, which {self.ann_file} lists: add it, or '
                'set skip_missing=True'
            )
        if not self.use_frames:
            return dict(filename=path)
        count = count_frames(path, self.filename_tmpl)
        return dict(frame_dir=path, filename_tmpl=self.filename_tmpl, total_frames=count, fps=self.fps)

    def _proposals(self, item):
        proposals = self.proposals.get(image_key(item['video_id'], item['timestamp']))
        if proposals is None:
            raise ValueError(
                f"{self.proposal_file} has no proposals of '{item['img_key']}': run the person detector on this "
                'keyframe, or set skip_missing=True'
            )
        boxes, scores = choose_proposals(proposals, self.person_det_score_thr, self.num_max_proposals)
        return dict(proposals=boxes) if scores is None else dict(proposals=boxes, scores=scores)

    def _present(self, items):
        if not self.skip_missing:
            return items
        lost = [item for item in items if self.videos[item['video_id']] is None]
        self._warn_left_out(lost, len(items), f'no video in {self.data_prefix["img"]}')
        items = [item for item in items if self.videos[item['video_id']] is not None]
        if self.proposals is not None:
            keys = [image_key(item['video_id'], item['timestamp']) in self.proposals for item in items]
            lost = [item for item, found in zip(items, keys, strict=True) if not found]
            self._warn_left_out(lost, len(items), f'no proposals in {self.proposal_file}')
            items = [item for item, found in zip(items, keys, strict=True) if found]
        if not items:
            raise ValueError(f'skip_missing leaves no keyframe of {self.ann_file}: every video or proposal is missing')
        return items

    def _warn_left_out(self, lost, total, reason):
        if lost:
            videos = list(dict.fromkeys(item['video_id'] for item in lost))
            print_log(
                f'{len(lost)} of {total} keyframes of {self.ann_file} are left out, as they have {reason}. '
                f'{len(videos)} videos: {", ".join(videos)}.',
                'current',
                logging.WARNING,
            )


def find_videos(folder, video_ids, use_frames=False):
    """Find videos, or folders of frames, with a single scan of their folder: id -> path, None if missing."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'folder of videos {folder} does not exist: set data_prefix=dict(img=...) to it')
    with os.scandir(folder) as entries:
        there = [entry.name for entry in entries if entry.is_dir() == use_frames]
    by_id, paths = {}, {}
    for name in there:
        if use_frames or is_video(name):
            by_id.setdefault(name if use_frames else os.path.splitext(name)[0], []).append(name)
    whole = set(there)
    for video_id in video_ids:
        files = [video_id] if video_id in whole else sorted(by_id.get(video_id, []))
        if len(files) > 1:
            raise ValueError(f'{folder} has several files of the video {video_id}: {", ".join(files)}; keep one')
        paths[video_id] = os.path.join(folder, files[0]) if files else None
    return paths


@cache
def count_frames(folder, template):
    """Number of images in a folder of frames, cached; VideoError if they are not named ``template`` from 1 to it."""
    with os.scandir(folder) as entries:
        count = sum(entry.name.endswith(('.jpg', '.jpeg', '.png')) for entry in entries)
    if not count:
        raise VideoError(f'{folder} has no images')
    last = template.format(count)
    if not os.path.isfile(os.path.join(folder, last)):
        raise VideoError(f'{folder} has {count} images, but no {last}: number them from 1, without gaps')
    return count


def _item(place, video_id, milliseconds):
    seconds, rest = divmod(milliseconds, MILLISECONDS)
    # Whole numbers are written as AVA's tools do.
    timestamp = milliseconds / MILLISECONDS if rest else seconds
    img_key = f'{video_id},{timestamp}' if rest else f'{video_id},{seconds:04d}'
    return dict(video_id=video_id, timestamp=timestamp, img_key=img_key, keyframe=place)
