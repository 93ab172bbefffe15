"""What tests read: the golden vectors, and the tables, records and pictures that the code under test has written."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import torch

DATA = Path(__file__).parent / 'data'


def read_golden(path):
    """Numbers (tensors), texts (arrays) and settings of a golden vector: a name in tests/data, or a path."""
    with np.load(path if isinstance(path, Path) else DATA / f'{path}.npz', allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    meta = json.loads(str(arrays.pop('meta', '{}')))
    return {key: array if array.dtype.kind == 'U' else torch.from_numpy(array) for key, array in arrays.items()}, meta


def official_state(tensors):
    """The state dict of a golden vector."""
    return {key.removeprefix('sd/'): value for key, value in tensors.items() if key.startswith('sd/')}


def read_csv(path):
    """The rows of a table, the header first."""
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.reader(file))


def read_results(work_dir):
    """The results.json of the only run in a work dir."""
    (path,) = Path(work_dir).glob('*/results.json')
    return json.loads(path.read_text())


def colour_mask(picture, colour, slack=2):
    """Where a picture, a path or RGB, has a colour (RGB, 0 to 1): (H, W)."""
    if not isinstance(picture, np.ndarray):
        picture = cv2.imread(str(picture))[..., ::-1]
    return np.abs(picture.astype(int) - np.round(255 * np.array(colour))).max(axis=-1) <= slack


def pixels_of(picture, colour):
    """Rows and columns of the pixels of a colour, as shares of the picture's height and width."""
    mask = colour_mask(picture, colour)
    rows, columns = np.nonzero(mask)
    return rows / mask.shape[0], columns / mask.shape[1]


def shades(path):
    """How many colours a picture has: few, unless it shows frames."""
    return len(np.unique(cv2.imread(str(path)) @ [1, 256, 65536]))
