"""Embeddings of the same videos forward and reversed, as tools/extract.py --views forward,reversed writes them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.embeddings import EmbeddingFolder, shared_settings

from .points import Points, common_videos, load_points

DIRECTIONS = ['forward', 'reversed']


class DirectionPairs(NamedTuple):
    """Videos with a vector for each direction.

    Attributes:
        forward (Points): Vectors of the videos, one each, in the order of ``video_ids``.
        backward (ndarray): (n, D) vectors of the reversed ones, in the same order.
        unpaired (dict[str, str]): Id of each video with one direction only -> that direction.
        folder (Path): Where the forward ones are.
        settings (dict): What they were made with, as far as known.
        decoder (str | None): Name and version of what decoded all of them.
    """

    forward: Points
    backward: np.ndarray
    unpaired: dict
    folder: Path
    settings: dict
    decoder: str | None

    def of_videos(self, video_ids):
        """The pairs of some videos, a set of ids."""
        rows = np.array([video_id in video_ids for video_id in self.forward.video_ids])
        return self._replace(forward=self.forward.take(rows), backward=self.backward[rows])

    def of_class(self, name):
        """The pairs of a class as points of two classes, 'forward' and 'reversed': (2n, D), forward ones first."""
        rows = self.forward.labels == self.forward.classes.index(name)
        one = self.forward.take(rows)
        return Points(
            np.concatenate([one.vectors, self.backward[rows]]),
            np.tile(one.videos, 2),
            one.video_ids,
            np.repeat([0, 1], len(one.videos)),
            DIRECTIONS,
            [0, 1],
            None,
        )


def load_pairs(folder, ann_file=None, class_names=None):
    """Load the videos' vectors of both directions.

    Args:
        folder (str): The forward embeddings, ``<out>/<sampling>/<split>``, in either format; the reversed ones are in
            ``<out>/<sampling>-reversed/<split>``.
        ann_file (str, optional): As for :func:`load_points`.
        class_names (str | Sequence[str], optional): As for :func:`load_points`.

    Returns:
        DirectionPairs: of the videos with both directions.

    Raises:
        FileNotFoundError: if one of the folders is missing or empty.
        ValueError: if no video has both directions, the two were made with different settings, or as
            :func:`load_points`.
    """
    folder, forward = Path(folder), EmbeddingFolder(folder)
    sampling = folder.absolute().parent
    opposite = sampling.with_name(f'{sampling.name}-reversed') / folder.name
    if not opposite.is_dir():
        raise FileNotFoundError(
            f'there is no folder {opposite} with the same videos reversed: extract them with tools/extract.py --views '
            'forward,reversed, and name the forward folder <out>/<sampling>/<split>'
        )
    backward = EmbeddingFolder(opposite)
    settings, decoder = _settings(forward, backward)
    unpaired = {
        video_id: direction
        for direction, one, other in zip(DIRECTIONS, (forward, backward), (backward, forward), strict=True)
        for video_id in one.video_ids
        if video_id not in other
    }
    points = load_points(folder, 'video', ann_file, class_names)
    both = np.array([video_id in backward for video_id in points.video_ids])
    if not both.any():
        raise ValueError(f'{folder} and {opposite} have no video in common: extract both directions of the same videos')
    points = points.take(both)
    reversed_points = load_points(opposite, 'video', ann_file, class_names)
    place = {video_id: row for row, video_id in enumerate(reversed_points.video_ids)}
    vectors = np.asarray(reversed_points.vectors[[place[video_id] for video_id in points.video_ids]])
    if vectors.shape[1] != points.vectors.shape[1]:
        raise ValueError(
            f'{opposite} has {vectors.shape[1]} numbers a vector, {folder} has {points.vectors.shape[1]}: extract both '
            'directions with one encoder'
        )
    return DirectionPairs(points, vectors, unpaired, folder, settings, decoder)


def common_pairs(encoders):
    """Keep the videos that all encoders have in both directions.

    Args:
        encoders (dict[str, DirectionPairs]): Name of an encoder -> its pairs.

    Returns:
        tuple[dict[str, DirectionPairs], dict[str, int]]: as :func:`~twlv_mm.analysis.points.common_videos`.

    Raises:
        ValueError: as :func:`~twlv_mm.analysis.points.common_videos`.
    """
    points, left_out = common_videos({name: pairs.forward for name, pairs in encoders.items()})
    return {name: pairs.of_videos(set(points[name].video_ids)) for name, pairs in encoders.items()}, left_out


def _settings(forward, backward):
    """What both folders were made with, and the decoder of all videos; the views have to be opposite."""
    found, decoders = [], set()
    for folder in (forward, backward):
        infos = {video_id: folder.info(video_id) for video_id in folder.video_ids}
        found.append(shared_settings(folder.path, infos))
        decoders |= {info.get('decoder') for info in infos.values()}
    views = tuple(settings.pop('view') for settings in found)
    if views not in (('forward', 'reversed'), (None, None)):
        raise ValueError(
            f'{forward.path} holds the view {views[0]!r} and {backward.path} {views[1]!r}: '
            'they are to be forward and reversed'
        )
    differing = [name for name in found[0] if found[0][name] != found[1][name]]
    if differing:
        raise ValueError(
            f'{forward.path} and {backward.path} were made with different settings ({", ".join(differing)}): extract '
            'both directions in one run'
        )
    return found[0], decoders.pop() if len(decoders) == 1 else None
