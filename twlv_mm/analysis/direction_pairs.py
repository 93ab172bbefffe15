"""Embeddings of videos and of the same videos reversed, from ``twlv extract --views forward,reversed``."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.embeddings import EmbeddingFolder, shared_settings

from .labelled_vectors import LabelledVectors, common_videos, load_vectors

DIRECTIONS = ['forward', 'reversed']


class DirectionPairs(NamedTuple):
    """Videos with a vector for each direction.

    Attributes:
        forward (LabelledVectors): One vector per video, in the order of ``video_ids``.
        backward (ndarray): (n, D) vectors of the reversed videos, in the same order.
        unpaired (dict[str, str]): Id of a video with one direction only -> that direction.
        folder (Path): Folder of the forward vectors.
        settings (dict): Extraction settings, as far as known.
        decoder (str | None): Name and version of the decoder, if all videos have the same.
    """

    forward: LabelledVectors
    backward: np.ndarray
    unpaired: dict
    folder: Path
    settings: dict
    decoder: str | None

    def of_videos(self, video_ids):
        """The pairs of a set of video ids."""
        rows = np.array([video_id in video_ids for video_id in self.forward.video_ids])
        return self._replace(forward=self.forward.take(rows), backward=self.backward[rows])

    def of_class(self, name):
        """The pairs of a class as vectors (2n, D) of two classes, 'forward' and 'reversed', in this order."""
        rows = self.forward.labels == self.forward.classes.index(name)
        one = self.forward.take(rows)
        return LabelledVectors(
            np.concatenate([one.vectors, self.backward[rows]]),
            np.tile(one.videos, 2),
            one.video_ids,
            np.repeat([0, 1], len(one.videos)),
            DIRECTIONS,
            [0, 1],
            None,
        )


def load_pairs(folder, ann_file=None, class_names=None):
    """Load the videos' vectors of both directions; videos with a single direction are left out.

    Args:
        folder (str): The forward embeddings, ``<out>/<sampling>/<split>``, in either format; the reversed ones are in
            ``<out>/<sampling>-reversed/<split>``.
        ann_file, class_names: See :func:`load_vectors`.

    Raises:
        FileNotFoundError: if one of the folders is missing or empty.
        ValueError: if no video has both directions, or their settings differ.
    """
    folder, forward = Path(folder), EmbeddingFolder(folder)
    sampling = folder.absolute().parent
    opposite = sampling.with_name(f'{sampling.name}-reversed') / folder.name
    if not opposite.is_dir():
        raise FileNotFoundError(
            f'folder {opposite} with the same videos reversed does not exist: extract them with twlv extract --views '
            'forward,reversed, and give the forward folder as <out>/<sampling>/<split>'
        )
    backward = EmbeddingFolder(opposite)
    settings, decoder = _settings(forward, backward)
    unpaired = {
        video_id: direction
        for direction, one, other in zip(DIRECTIONS, (forward, backward), (backward, forward), strict=True)
        for video_id in one.video_ids
        if video_id not in other
    }
    points = load_vectors(folder, 'video', ann_file, class_names)
    both = np.array([video_id in backward for video_id in points.video_ids])
    if not both.any():
        raise ValueError(f'{folder} and {opposite} have no video in common: extract both directions of the same videos')
    points = points.take(both)
    reversed_points = load_vectors(opposite, 'video', ann_file, class_names)
    place = {video_id: row for row, video_id in enumerate(reversed_points.video_ids)}
    vectors = np.asarray(reversed_points.vectors[[place[video_id] for video_id in points.video_ids]])
    if vectors.shape[1] != points.vectors.shape[1]:
        raise ValueError(
            f'{opposite} has {vectors.shape[1]} dimensions per vector, {folder} has {points.vectors.shape[1]}: extract '
            'both directions with the same encoder'
        )
    return DirectionPairs(points, vectors, unpaired, folder, settings, decoder)


def common_pairs(encoders):
    """Keep the videos that all encoders have in both directions; see :func:`~.labelled_vectors.common_videos`."""
    points, left_out = common_videos({name: pairs.forward for name, pairs in encoders.items()})
    return {name: pairs.of_videos(set(points[name].video_ids)) for name, pairs in encoders.items()}, left_out


def _settings(forward, backward):
    """The settings that both folders share, and the decoder if all videos have the same."""
    found, decoders = [], set()
    for folder in (forward, backward):
        infos = {video_id: folder.info(video_id) for video_id in folder.video_ids}
        found.append(shared_settings(folder.path, infos))
        decoders |= {info.get('decoder') for info in infos.values()}
    views = tuple(settings.pop('view') for settings in found)
    if views not in (('forward', 'reversed'), (None, None)):
        raise ValueError(
            f'{forward.path} holds the view {views[0]!r} and {backward.path} the view {views[1]!r}: '
            'they must be forward and reversed'
        )
    differing = [name for name in found[0] if found[0][name] != found[1][name]]
    if differing:
        raise ValueError(
            f'{forward.path} and {backward.path} were made with different settings ({", ".join(differing)}): extract '
            'both directions in one run'
        )
    return found[0], decoders.pop() if len(decoders) == 1 else None
