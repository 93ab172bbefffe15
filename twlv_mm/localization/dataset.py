"""Dataset of videos as embeddings of their clips, with actions."""

import logging
from pathlib import Path

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
    video_grid,
)
from twlv_mm.registry import DATASETS

from .annotations import read_annotations

COVERED = 0.9  # minimum share of a video that its features should cover
# Durations that differ by more than both of these belong to different versions of a video.
DURATION_SHARE, DURATION_SECONDS = 0.02, 0.5


@DATASETS.register_module()
class LocalizationDataset(BaseDataset):
    """The videos of a subset: embeddings of their clips, and their actions in steps of the clips.

    An item, before the pipeline, is a dict of video_id (str, as in the annotations), feats ((T, D) float32, in order of
    time), duration (seconds), origin (seconds: the centre of the first clip), step (seconds from clip to clip),
    clip_seconds, segments ((G, 2) float32 **in steps**: step g is at the time ``origin + g * step``), labels ((G,)
    int64) and classes (tuple of names). Features are read when an item is requested, so memory does not grow with the
    dataset and workers share the system's cache.

    In training, videos without actions are left out, as in ActionFormer, whose schedules count epochs of the others;
    actions outside of the features are left out, and those that end after them are cut. In tests everything stays as
    annotated. The log counts what is left out.

    Args:
        ann_file (str): See :func:`~twlv_mm.localization.annotations.read_annotations`.
        folder (str): Embeddings in either format, ``<out>/<sampling>/<split>``. Their ids match those of the
            annotations as :func:`twlv_mm.embeddings.ids_by_alias` says; either may begin with 'v_' (ActivityNet).
        subset (str, optional): The videos of ann_file to use; all by default.
        clip_seconds (float, optional): Length of a clip; not needed if the embeddings have the times of their clips,
            which take precedence.
        stride_seconds (float, optional): From one clip's start to the next; as clip_seconds.
        classes (str | Sequence[str], optional): See ``read_annotations``.
        features (dict, optional): Layout of features made elsewhere without a twlv_features.json beside them, see
            :class:`~twlv_mm.embeddings.features.FeatureLayout`. Its fps defaults to that of ann_file.
        **kwargs: pipeline, test_mode, indices, see mmengine's BaseDataset.

    Attributes:
        metainfo (dict): classes (tuple of names), folder, dims (D) and settings (dict of how the embeddings were made,
            None where not known).
    """

    def __init__(
        self,
        ann_file,
        folder,
        subset=None,
        clip_seconds=None,
        stride_seconds=None,
        classes=None,
        features=None,
        **kwargs,
    ):
        self.folder = str(folder)
        self.subset = subset
        self.clip_seconds = clip_seconds
        self.stride_seconds = stride_seconds
        self.classes = classes
        self.features = features
        super().__init__(ann_file=str(ann_file), data_prefix={}, **kwargs)

    def load_data_list(self):
        """The items without feats; with ``embedding``, the video's id in the folder, and ``num_clips``."""
        annotations = read_annotations(self.ann_file, self.subset, self.classes)
        self._embeddings = EmbeddingFolder(self.folder, features=self.features)
        known = ids_by_alias(self._embeddings.video_ids)
        names = {id_: known.get(id_) or known.get(id_.removeprefix('v_')) for id_ in annotations.videos}
        for note in [*annotations.notes, *self._note_missing(annotations, names)]:
            print_log(note, 'current', logging.WARNING)
        infos = {id_: self._embeddings.info(name) for id_, name in names.items() if name is not None}
        self._metainfo.update(
            classes=annotations.classes,
            folder=self.folder,
            dims=self._embeddings.dims,
            settings=clip_settings(self.folder, infos),
        )
        self.choices = dict(
            annotations=Path(self.ann_file).name,
            videos=len(names),
            frames_repeated=repeats_frames(infos),
        )
        items = [self._item(id_, names[id_], annotations.videos[id_], info) for id_, info in infos.items()]
        self.choices |= feature_choices(self._embeddings, items)
        if (frames := self._metainfo['settings'].get('frames_per_clip')) is not None:
            self.choices['frames'] = frames
        self._note_durations(items, annotations)
        self._note_short(items)
        return items if self.test_mode else self._for_training(items)

    def prepare_data(self, idx):
        item = self.get_data_info(idx)
        feats = grid_clips(self._embeddings, item.pop('embedding'), item.pop('num_clips'))
        return self.pipeline(dict(item, feats=feats, classes=self._metainfo['classes']))

    def _item(self, video_id, name, video, info):
        duration = info.get('duration') or video.duration
        grid = video_grid(self._embeddings, name, self.clip_seconds, self.stride_seconds, duration, video.fps)
        return dict(
            video_id=video_id,
            embedding=name,
            duration=float(duration or grid_end(grid)),
            **grid,
            segments=((video.segments - grid['origin']) / grid['step']).astype(np.float32),
            labels=video.labels,
        )

    def _note_missing(self, annotations, names):
        missing = [id_ for id_, name in names.items() if name is None]
        if len(missing) == len(names):
            raise FileNotFoundError(
                f'{self.folder} has embeddings of none of the {len(names)} videos of {self.ann_file} (subset '
                f'{self.subset}): the former has {self._embeddings.video_ids[0]!r}, the latter {missing[0]!r}; set '
                'folder to the embeddings of that subset'
            )
        if not missing:
            return []
        actions = {id_: len(video.labels) for id_, video in annotations.videos.items()}
        lost, total = sum(actions[id_] for id_ in missing), sum(actions.values())
        effect = 'Each counts as missed.' if self.test_mode else 'They are left out.'
        return [
            f'{len(missing)} OF {len(names)} VIDEOS of {self.ann_file} (subset {self.subset}) HAVE NO EMBEDDINGS in '
            f'{self.folder}, and with them {lost} of {total} actions ({100 * lost / max(total, 1):.1f} %). {effect} '
            f'Missing: {", ".join(missing[:10])}{", …" if len(missing) > 10 else ""}.{extraction_note(self.folder)}'
        ]

    def _note_durations(self, items, annotations):
        differing = [
            item['video_id']
            for item in items
            for annotated in [annotations.videos[item['video_id']].duration]
            if annotated and abs(item['duration'] - annotated) > max(DURATION_SHARE * annotated, DURATION_SECONDS)
        ]
        self._note(differing, 'have another duration in {folder} than in {ann_file}; are they other versions?')

    def _note_short(self, items):
        short = [item['video_id'] for item in items if grid_end(item) < COVERED * item['duration']]
        self._note(short, f'have embeddings of less than {COVERED:.0%} of their duration in {{folder}}')

    def _for_training(self, items):
        kept, lost, cut = [], [], []
        for item in items:
            end = (grid_end(item) - item['origin']) / item['step']
            # Clips that cover a video may leave up to a step at its end, where an action may well end.
            last = min(end + 1, (item['duration'] - item['origin']) / item['step'])
            begin = -item['clip_seconds'] / 2 / item['step']
            inside = (item['segments'][:, 0] < min(end, last)) & (item['segments'][:, 1] > begin)
            segments = item['segments'][inside]
            lost += [item['video_id']] * int((~inside).sum())
            cut += [item['video_id']] * int((segments[:, 1] > last + 1e-3).sum())
            segments[:, 1] = np.minimum(segments[:, 1], last)
            item.update(segments=segments, labels=item['labels'][inside])
            if len(segments):
                kept.append(item)
        self._note(lost, 'have actions before or after their embeddings, which training leaves out', 'actions')
        self._note(cut, 'have actions that go on after the end of their embeddings, which training cuts', 'actions')
        empty = {item['video_id'] for item in items} - {item['video_id'] for item in kept}
        self._note(sorted(empty), 'have no action and are left out of training')
        if not kept:
            raise ValueError(f'{self.ann_file} (subset {self.subset}) has no action to train on in {self.folder}')
        return kept

    def _note(self, video_ids, sentence, what=None):
        if not video_ids:
            return
        videos = list(dict.fromkeys(video_ids))
        counted = f' ({len(video_ids)} {what})' if what else ''
        shown = ', '.join(videos[:3]) + (', …' if len(videos) > 3 else '')
        sentence = sentence.format(folder=self.folder, ann_file=self.ann_file)
        print_log(f'{len(videos)} videos{counted} {sentence}: {shown}.', 'current', logging.WARNING)
