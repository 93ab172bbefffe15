"""Dataset of videos as embeddings of their clips, with a label for every frame."""

import logging
from math import isfinite

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from twlv_mm.embeddings import (
    EmbeddingFolder,
    clip_settings,
    extraction_note,
    feature_choices,
    grid_clips,
    grid_end,
    ids_by_alias,
    repeats_frames,
    second_views,
    video_grid,
)
from twlv_mm.registry import DATASETS

from .labels import bundle_path, check_folds, check_label_files, read_labels, read_mapping, read_split, shorten

TOLERANCE = 0.1  # maximum difference in length of embeddings and labels, as a share of the video


@DATASETS.register_module()
class SegmentationDataset(BaseDataset):
    """The videos of a split of a fold: embeddings of their clips, and the label of each of their frames.

    An item, before the pipeline, is a dict of video_id (str), feats ((M, D) float32, in order of time), origin
    (seconds: the centre of the first clip), step (seconds from clip to clip), clip_seconds, duration (seconds of
    labels), fps, num_frames (F) and frame_labels ((F,) int64). Features are read when an item is requested, so memory
    does not grow with the dataset and workers share the system's cache.

    The log names the videos without embeddings, which are left out, and those whose embeddings end more than a clip and
    a step before or after their labels; a tail that is shorter than a clip has none.

    Args:
        data_root (str): Folder with mapping.txt, groundTruth/ and splits/, see :mod:`~twlv_mm.segmentation.labels`.
        folder (str): Embeddings in either format, ``<out>/<sampling>/<split>``, with ids that match the names of the
            label files as :func:`twlv_mm.embeddings.ids_by_alias` says.
        split (str): 'train' or 'test'.
        fps (float): Labels per second: 15 for GTEA and Breakfast, 30 for 50Salads.
        fold (int): Number of the fold.
        clip_seconds (float, optional): Length of a clip; not needed if the embeddings have the times of their clips,
            which take precedence.
        stride_seconds (float, optional): From one clip's start to the next; as clip_seconds.
        features (dict, optional): Layout of features made elsewhere without a twlv_features.json beside them, see
            :class:`~twlv_mm.embeddings.features.FeatureLayout`.
        **kwargs: pipeline, test_mode, indices, see mmengine's BaseDataset.

    Attributes:
        metainfo (dict): classes (tuple of names, by label), folder, dims (D), settings (dict of how the embeddings were
            made, None where not known), fold, split, missing (tuple of the listed videos without embeddings) and source
            (the file that lists the videos).
    """

    def __init__(
        self,
        data_root,
        folder,
        split,
        fps,
        fold=1,
        clip_seconds=None,
        stride_seconds=None,
        features=None,
        **kwargs,
    ):
        if not (isfinite(fps) and fps > 0):
            raise ValueError(f'fps is {fps}; it must be a number above 0')
        self.folder = str(folder)
        self.split = split
        self.fps = float(fps)
        self.fold = fold
        self.clip_seconds = clip_seconds
        self.stride_seconds = stride_seconds
        self.features = features
        super().__init__(data_root=str(data_root), data_prefix={}, **kwargs)

    def load_data_list(self):
        """The items without feats, with ``embedding``, the id in the folder, and ``num_clips``; frame_labels are
        int32."""
        classes = read_mapping(self.data_root)
        listed = read_split(self.data_root, self.split, self.fold)
        if self.split == 'test':
            for note in check_folds(self.data_root)[1]:
                self._warn(note)
        source = str(bundle_path(self.data_root, self.split, self.fold))
        check_label_files(self.data_root, listed)
        self._embeddings = EmbeddingFolder(self.folder, features=self.features)
        names = ids_by_alias(self._embeddings.video_ids)
        present = {video_id: names[video_id] for video_id in listed if video_id in names}
        missing = [video_id for video_id in listed if video_id not in names]
        if not present:
            raise FileNotFoundError(
                f'{self.folder} has embeddings of none of the {len(listed)} videos of {source}: the former has '
                f'{self._embeddings.video_ids[0]!r}, the latter {listed[0]!r}; set folder to those of this dataset'
            )
        if missing:
            self._warn(
                f'{len(missing)} OF {len(listed)} VIDEOS of {source} HAVE NO EMBEDDINGS in {self.folder} and are left '
                f'out: {", ".join(missing[:10])}{", …" if len(missing) > 10 else ""}.{extraction_note(self.folder)}'
            )
        if second := second_views(self._embeddings.video_ids):
            self._warn(
                f'{self.folder} has several files of the same moments; the first is used and not {shorten(second)}.'
            )
        infos = {name: self._embeddings.info(name) for name in present.values()}
        self._metainfo.update(
            classes=classes,
            folder=self.folder,
            dims=self._embeddings.dims,
            settings=clip_settings(self.folder, infos),
            fold=self.fold,
            split=self.split,
            missing=tuple(missing),
            source=source,
        )
        self.choices = dict(labels_per_second=self.fps, frames_repeated=repeats_frames(infos))
        items = [self._item(id_, name, read_labels(self.data_root, id_, classes)) for id_, name in present.items()]
        self.choices |= feature_choices(self._embeddings, items)
        if (frames := self._metainfo['settings'].get('frames_per_clip')) is not None:
            self.choices['frames'] = frames
        self._check_lengths(items)
        return items

    def prepare_data(self, idx):
        item = self.get_data_info(idx)
        feats = grid_clips(self._embeddings, item.pop('embedding'), item.pop('num_clips'))
        return self.pipeline(dict(item, feats=feats, frame_labels=item['frame_labels'].astype(np.int64)))

    def _item(self, video_id, name, labels):
        duration = len(labels) / self.fps
        return dict(
            video_id=video_id,
            embedding=name,
            duration=duration,
            fps=self.fps,
            num_frames=len(labels),
            frame_labels=labels,
            **video_grid(self._embeddings, name, self.clip_seconds, self.stride_seconds, duration),
        )

    def _check_lengths(self, items):
        differing, wrong = [], []
        for item in items:
            end, duration = grid_end(item), item['duration']
            apart = abs(end - duration)
            if apart > item['clip_seconds'] + item['step']:
                said = f'{item["video_id"]}: {end:.1f} and {duration:.1f} s'
                (wrong if apart > TOLERANCE * duration else differing).append(said)
        if wrong:
            raise ValueError(
                f'the embeddings in {self.folder} do not end where the labels in {self.data_root} do at '
                f'fps={self.fps:g}, of {shorten(wrong)}: set fps to that of the labels, or extract the version of the '
                'videos that was labelled'
            )
        if differing:
            self._warn(
                f'The embeddings in {self.folder} end more than a clip before or after the labels at fps={self.fps:g} '
                f'of {shorten(differing)}.'
            )

    def _warn(self, sentence):
        print_log(sentence, 'current', logging.WARNING)
