"""The vectors of a split with their classes, and selections of them."""

import hashlib
import os
from typing import NamedTuple

import numpy as np

from twlv_mm.embeddings import EmbeddingFolder, find_videos, ids_by_alias, load_matrix
from twlv_mm.records import names_beside, read_class_names

NO_LABEL = 'no label'
ROWS = 16384  # checked at a time


class LabelledVectors(NamedTuple):
    """Vectors with class labels.

    Attributes:
        vectors (ndarray): (n, D) float32, possibly memory-mapped.
        videos (ndarray): (n,) int64, index in ``video_ids`` of each vector's video.
        video_ids (list[str]): Sorted; each has a vector.
        labels (ndarray): (n,) int64, index in ``classes``.
        classes (list[str]): Names in the order of their numbers; each has a vector.
        numbers (list[int]): Numbers of the classes: their labels, or their places in the split if labels are names.
        spans (ndarray | None): (n, 2) float64, start and end of the clips in seconds; None if unknown, and for vectors
            of whole videos.
    """

    vectors: np.ndarray
    videos: np.ndarray
    video_ids: list
    labels: np.ndarray
    classes: list
    numbers: list
    spans: np.ndarray | None

    def take(self, rows):
        """A selection of rows (ascending indices or n booleans), with only their videos and classes."""
        present, videos = np.unique(self.videos[rows], return_inverse=True)
        kinds, labels = np.unique(self.labels[rows], return_inverse=True)
        return LabelledVectors(
            np.asarray(self.vectors[rows]),
            videos,
            [self.video_ids[index] for index in present],
            labels,
            [self.classes[index] for index in kinds],
            [self.numbers[index] for index in kinds],
            None if self.spans is None else self.spans[rows],
        )

    def class_of(self):
        """dict[str, str]: video id -> name of its class."""
        pairs = zip(self.videos.tolist(), self.labels.tolist(), strict=True)
        return {self.video_ids[video]: self.classes[label] for video, label in pairs}


def load_vectors(folder, scope='video', ann_file=None, class_names=None, by_folder=False):
    """Load the embeddings of a split with their classes.

    Args:
        folder (str): Embeddings in either format, ``<out>/<sampling>/<split>``.
        scope (str): 'video' (one vector per video) or 'clip' (one per clip).
        ann_file (str, optional): A list of videos with their classes, as for :func:`twlv_mm.embeddings.find_videos`; by
            default the annotations in the embeddings.
        class_names (str | Sequence[str], optional): Names of numbered classes, or a file with one per line; by default
            ``classes.txt`` beside ann_file (or in the folder), otherwise their numbers.
        by_folder (bool): Use the videos' folders as classes.

    Returns:
        LabelledVectors: of all videos, as a single class if none has a class.

    Raises:
        FileNotFoundError: if the folder or file does not exist, or the folder has no embeddings.
        ValueError: if some videos have no class or several, a class has no name, or a vector or file is damaged.
    """
    folder = EmbeddingFolder(folder)
    vectors, videos, video_ids = load_matrix(folder, scope)
    _check_finite(vectors, videos, video_ids, folder.path)
    names = _folder_classes(folder) if by_folder else _annotated_classes(folder, ann_file, class_names)
    known = sorted(set(names.values()))
    classes = [name for _, name in known]
    numbers = [number for number, _ in known]
    place = {name: index for index, name in enumerate(classes)}
    of_video = np.array([place[names[video_id][1]] for video_id in video_ids])
    spans = None
    if scope == 'clip':
        times = [folder.times(video_id) for video_id in video_ids]
        spans = None if any(one is None for one in times) else np.concatenate(times)
    return LabelledVectors(vectors, videos, video_ids, of_video[videos], classes, numbers, spans)


def select_vectors(points, only=None, exclude=None, num_classes=None, amount=None, seed=0):
    """Select classes and vectors. Random choices depend only on the seed and the names.

    So the same ones are selected from several encoders' embeddings of the same videos.

    Args:
        points (LabelledVectors): What to select from.
        only (Sequence[str], optional): Classes to keep: names, or numbers where no class has that name.
        exclude (Sequence[str], optional): Classes to leave out.
        num_classes (int, optional): Keep this many random classes.
        amount (int | float, optional): Keep this many random vectors, or this fraction of them if below 1.
        seed (int): Seed of the random choices.

    Raises:
        ValueError: if the class is unknown, or nothing is left.
    """
    kept = _places(points, only) if only else range(len(points.classes))
    left_out = _places(points, exclude) if exclude else ()
    kept = [place for place in kept if place not in left_out]
    if num_classes is not None and num_classes < len(kept):
        draws = _draws(seed, (points.classes[place] for place in kept))
        kept = [kept[index] for index in np.sort(np.argsort(draws)[:num_classes])]
    rows = np.flatnonzero(np.isin(points.labels, kept))
    if amount is not None:
        count = round(amount * len(rows)) if 0 < amount < 1 else int(amount)
        first = np.searchsorted(points.videos, points.videos[rows])
        keys = (
            f'{points.video_ids[points.videos[row]]}\0{number}' for row, number in zip(rows, rows - first, strict=True)
        )
        rows = rows[np.sort(np.argsort(_draws(seed, keys))[: max(count, 0)])]
    if not len(rows):
        raise ValueError('no points are left: select more classes or more points')
    return points.take(rows)


def common_videos(encoders):
    """Keep the videos that all encoders have embedded.

    Returns:
        tuple[dict[str, LabelledVectors], dict[str, int]]: encoder -> vectors of common videos; encoder -> number of
        videos that were left out, if any.

    Raises:
        ValueError: if they have no video in common, or a video has different classes.
    """
    classes = {name: points.class_of() for name, points in encoders.items()}
    common = set.intersection(*map(set, classes.values()))
    if not common:
        raise ValueError(f'{", ".join(encoders)} have no video in common: embed the same videos with each encoder')
    first = next(iter(classes))
    for name, of_video in classes.items():
        wrong = next((video_id for video_id in sorted(common) if of_video[video_id] != classes[first][video_id]), None)
        if wrong is not None:
            raise ValueError(
                f'{wrong} has the class {classes[first][wrong]!r} in {first} and {of_video[wrong]!r} in {name}: give a '
                'list of the videos with their classes'
            )
    kept, left_out = {}, {}
    for name, points in encoders.items():
        inside = np.array([video_id in common for video_id in points.video_ids])
        kept[name] = points if inside.all() else points.take(inside[points.videos])
        if not inside.all():
            left_out[name] = int((~inside).sum())
    return kept, left_out


def folders_of(video_ids):
    """Video id -> folder that it begins with, or ''."""
    return {video_id: video_id.rpartition('/')[0] for video_id in video_ids}


def _folder_classes(folder):
    """Video id -> (number, name) of its folder."""
    found = folders_of(folder.video_ids)
    outside = [video_id for video_id, name in found.items() if not name]
    if outside:
        raise ValueError(f'{len(outside)} videos of {folder.path} are in no sub-folder, for example {outside[0]}')
    places = {name: place for place, name in enumerate(sorted(set(found.values())))}
    return {video_id: (places[name], name) for video_id, name in found.items()}


def _annotated_classes(folder, ann_file, class_names):
    """Video id -> (number, name) of its class."""
    if ann_file is None:
        source = f'the annotations of {folder.path}'
        labels = {video_id: folder.annotation(video_id) for video_id in folder.video_ids}
        if not any(label is not None for label in labels.values()):
            return dict.fromkeys(folder.video_ids, (0, NO_LABEL))
    else:
        source = os.fspath(ann_file)
        listed = {video.video_id: video.annotation for video in find_videos(ann_file)}
        if any(video_id not in listed for video_id in folder.video_ids):
            # Features made elsewhere are often in a single folder, while the list has the folders of the videos.
            listed = {name: listed[video_id] for name, video_id in ids_by_alias(listed).items()}
        labels = {video_id: listed.get(video_id) for video_id in folder.video_ids}
    wrong = [video_id for video_id, label in labels.items() if type(label) not in (int, str)]
    if wrong:
        found = 'none' if labels[wrong[0]] is None else f'{labels[wrong[0]]!r}'
        raise ValueError(
            f'{len(wrong)} of {len(folder)} videos do not have a single class in {source} ({wrong[0]} has {found}): '
            'give a list with a line "name.mp4 class" for every video'
        )
    if class_names is None and all(type(label) is int for label in labels.values()):
        class_names = names_beside(ann_file or folder.path)
    if class_names is None:
        if all(type(label) is int for label in labels.values()):
            return {video_id: (label, str(label)) for video_id, label in labels.items()}
        places = {name: place for place, name in enumerate(sorted(set(map(str, labels.values()))))}
        return {video_id: (places[str(label)], str(label)) for video_id, label in labels.items()}
    names = read_class_names(class_names)
    foreign = [label for label in labels.values() if type(label) is str or not 0 <= label < len(names)]
    if foreign:
        raise ValueError(f'there are {len(names)} class names, but {source} has the class {foreign[0]!r}')
    return {video_id: (label, names[label]) for video_id, label in labels.items()}


def _check_finite(vectors, videos, video_ids, folder):
    for start in range(0, len(vectors), ROWS):
        finite = np.isfinite(vectors[start : start + ROWS]).all(axis=1)
        if not finite.all():
            video_id = video_ids[videos[start + int(finite.argmin())]]
            raise ValueError(f'{video_id} in {folder} contains NaN or Inf: extract it again')


def _places(points, wanted):
    """Indices in ``classes`` of classes given by name, or by number where no class has that name."""
    places = []
    for name in map(str, wanted):
        if name in points.classes:
            places.append(points.classes.index(name))
        elif name.isdigit() and int(name) in points.numbers:
            places.append(points.numbers.index(int(name)))
        else:
            shown = ', '.join(points.classes[:5]) + (', …' if len(points.classes) > 5 else '')
            raise ValueError(f'unknown class {name!r}; it is not among the {len(points.classes)}: {shown}')
    return places


def _draws(seed, keys):
    digests = (hashlib.blake2b(f'{seed}\0{key}'.encode(), digest_size=8).digest() for key in keys)
    return np.array([int.from_bytes(digest, 'little') for digest in digests], np.uint64)
