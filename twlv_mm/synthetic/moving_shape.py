"""Small videos of one shape that moves in one of four directions: easy enough to be learned in a minute."""

import os

import cv2
import numpy as np

from .video_writer import write_video

DIRECTIONS = {'left': (-1, 0), 'right': (1, 0), 'up': (0, -1), 'down': (0, 1)}


def render(rng, direction, *, size=64, num_frames=16):
    """Draw a disc or a square of random colour and size that crosses the middle of a plain, noisy background.

    Args:
        rng (numpy.random.Generator): Draws everything but the direction.
        direction (str): A key of :data:`DIRECTIONS`.
        size (int): Side of the frame in pixels.
        num_frames (int): Frames.

    Returns:
        ndarray: (num_frames, size, size, 3) uint8 RGB.
    """
    background = rng.integers(0, 90, 3)
    colour = [int(c) for c in rng.integers(150, 256, 3)]
    radius = rng.uniform(0.1, 0.18) * size
    centre = rng.uniform(0.4, 0.6, 2) * size
    speed = rng.uniform(0.5, 0.7) * size / num_frames
    square = rng.random() < 0.5
    frames = []
    for t in range(num_frames):
        x, y = centre + np.array(DIRECTIONS[direction]) * speed * (t - (num_frames - 1) / 2)
        frame = np.clip(background + rng.normal(0, 6, (size, size, 3)), 0, 255).astype(np.uint8)
        if square:
            corners = [(round(x - radius), round(y - radius)), (round(x + radius), round(y + radius))]
            cv2.rectangle(frame, *corners, colour, -1)
        else:
            cv2.circle(frame, (round(x), round(y)), round(radius), colour, -1)
        frames.append(frame)
    return np.stack(frames)


def make_direction_set(folder, split, num_videos, seed):
    """Write a split of videos and its mmaction2 list file, ``<folder>/<split>.txt``.

    Args:
        folder (str): Where to; videos go to ``<folder>/<split>/``.
        split (str): For example 'train'.
        num_videos (int): A multiple of four gives equally many of each direction.
        seed (int): The same seed gives the same videos.
    """
    os.makedirs(os.path.join(folder, split), exist_ok=True)
    rng = np.random.default_rng(seed)
    lines = []
    for number in range(num_videos):
        label = number % len(DIRECTIONS)
        direction = list(DIRECTIONS)[label]
        name = f'{split}/{direction}_{number:03d}.mp4'
        write_video(os.path.join(folder, name), render(rng, direction))
        lines.append(f'{name} {label}\n')
    with open(os.path.join(folder, f'{split}.txt'), 'w') as file:
        file.writelines(lines)
