"""Keyframes of videos with boxes and actions, in AVA's format."""

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
    """The keyframes of AVA's files that have boxes with actions, in place of mmaction2's AVADataset.

    That one adds '.mp4' to the names of videos, takes 30 frames a second as given, shifts frames by its start_index,
    and reads neither time stamps with decimals nor rows without a person. Where a video or a proposal is missing, it
    goes on with something else or stops in the middle of an epoch. Here :class:`CheckAVAHook
    <twlv_mm.detection.data_check.CheckAVAHook>` says so before.

    An item, before the pipeline, is a dict of video_id, timestamp (int, or float where it has decimals: seconds of the
    film), img_key ('video,0902'), gt_bboxes ((n, 4) x1, y1, x2, y2 as shares of the picture), gt_labels ((n, C) 0 or
    1), entity_ids ((n,), -1 where not known), offset_seconds, modality and start_index; filename, or with
    ``use_frames`` frame_dir, filename_tmpl, total_frames and fps; proposals ((m, 4) shares) and scores where there are
    proposals; tracks, for each box a tuple of seconds of the film (k,) and boxes (k, 4), where there is a
    ``tube_file``.

    Classes are the ids of ``label_file``: class c of AVA is column c, and column 0 and those of ids that the list does
    not have are never used. So C is 81 with AVA's list of 80 and with that of 60, and mmaction2's AVAMetric reads the
    predictions as they are. Actions that are not in the list are left out, here as in the evaluation; a box that has no
    others, and a keyframe that has no other boxes, too. Boxes without area are left out.

    Args:
        ann_file (str): A csv for :func:`~twlv_mm.detection.ava_annotations.read_ava_csv`.
        pipeline (list[dict]): Transforms, from :class:`~twlv_mm.detection.transforms.SampleKeyframeClip` on.
        data_prefix (dict): ``img`` is the folder of videos, ``<video_id>.<an ending of videos>``; with
            ``use_frames`` of folders of frames, ``<video_id>/``.
        label_file (str): A .pbtxt with the names and ids of the actions.
        exclude_file (str, optional): A csv of keyframes that do not count.
        proposal_file (str, optional): Boxes of a person detector, for
            :func:`~twlv_mm.detection.proposals.read_proposals`.
        person_det_score_thr (float): Proposals with a lower score are left out, but for a keyframe's best.
        num_max_proposals (int): Proposals of a keyframe.
        tube_file (str, optional): A csv as ann_file with the boxes of people at every frame; the ids of persons tell
            which belong to a person of ann_file.
        offset_seconds (float): Time in the film of a file's first frame: 900 where files begin at minute 15, as AVA's
            usual cuts do, 0 where they are whole films.
        skip_missing (bool): Leave out keyframes whose video or proposals are missing, and say which in the log. If
            False, reading one is an error.
        use_frames (bool): Whether to read pictures instead of videos.
        fps (float): With ``use_frames``, pictures a second.
        filename_tmpl (str): With ``use_frames``, names of pictures; numbers start at 1.
        **kwargs: test_mode, indices and the others of mmaction2's BaseActionDataset.

    Attributes:
        metainfo (dict): classes (tuple of C names, '' where a column is not used), source (ann_file) and folder.
        keyframes (Keyframes): All keyframes that are read, before missing ones are left out.
        videos (dict): Video id -> file or folder of each video of them; None where it is missing.
        proposals (dict | None): Keyframe -> proposals.

    Raises:
        FileNotFoundError: if a file of annotations or the folder is missing; when an item is read, its video.
        ValueError: if a file cannot be understood, several videos have the same id, or there is no keyframe with a box
            and an action; when an item is read, if it has no proposals.
        pickle.UnpicklingError: if a pickle of proposals asks for anything but data.
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
        """See the class.

        Returns:
            list[dict]: video_id, timestamp, img_key and ``keyframe``, the place in :attr:`keyframes`.
        """
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
        """Read an item, without its frames.

        Args:
            idx (int): Place among the items.

        Returns:
            dict: see the class.
        """
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
                f'num_classes is {self.num_classes}, and the largest id in {self.label_file} is {found - 1}: with '
                f'column 0, which is not used, that makes num_classes={found}. Ids that the list leaves out have '
                'columns, too, so 60 of 80 actions also make 81'
            )
        self.num_classes = found

    def _source(self, video_id):
        path = self.videos[video_id]
        if path is None:
            raise FileNotFoundError(
                f'there is no video {video_id} in {self.data_prefix["img"]}, which {self.ann_file} lists: get it, or '
                'set skip_missing=True'
            )
        if not self.use_frames:
            return dict(filename=path)
        return dict(frame_dir=path, filename_tmpl=self.filename_tmpl, total_frames=count_frames(path), fps=self.fps)

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
                f'{len(lost)} of {total} keyframes of {self.ann_file} are left out, they have {reason}. '
                f'{len(videos)} videos: {", ".join(videos)}.',
                'current',
                logging.WARNING,
            )


def find_videos(folder, video_ids, use_frames=False):
    """Where videos are, with one look at the folder.

    Args:
        folder (str): Of ``<video_id>.<an ending of videos>``, or, with ``use_frames``, of folders ``<video_id>``.
        video_ids (Iterable[str]): The videos. An id may have its extension.
        use_frames (bool): Whether videos are folders of frames.

    Returns:
        dict[str, str | None]: id -> path, None where there is none.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if several files have the name of a video.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'there is no folder of videos {folder}: set data_prefix=dict(img=...) to it')
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
def count_frames(folder):
    """How many pictures a folder has; looked up once.

    Args:
        folder (str): A folder of frames.

    Returns:
        int: files in it.

    Raises:
        VideoError: if there are none.
    """
    with os.scandir(folder) as entries:
        count = sum(entry.name.endswith(('.jpg', '.jpeg', '.png')) for entry in entries)
    if not count:
        raise VideoError(f'{folder} has no pictures')
    return count


def _item(place, video_id, milliseconds):
    seconds, rest = divmod(milliseconds, MILLISECONDS)
    # Whole numbers as AVA's tools write them.
    timestamp = milliseconds / MILLISECONDS if rest else seconds
    img_key = f'{video_id},{timestamp}' if rest else f'{video_id},{seconds:04d}'
    return dict(video_id=video_id, timestamp=timestamp, img_key=img_key, keyframe=place)
