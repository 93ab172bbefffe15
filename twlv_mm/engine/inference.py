"""From a trained model and video files to json, pictures and a summary: what the inferencers of all tasks share.

An inferencer is called with a video and gives a dict that is ready for json, ``inferencer(path, **options)``. It draws
that dict, ``inferencer.draw(path, result, out)``, a .png or what its ``drawing_suffix`` says, perhaps onto the video
too, ``inferencer.draw_video(path, result, out)``, and makes lines of summary.csv of it, ``inferencer.rows(result)``
under the names ``inferencer.columns``. A video that it cannot read is a ReadFault or a FileNotFoundError.
"""

import copy
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.embeddings import find_videos
from twlv_mm.encoders import file_sha256, read_checkpoint
from twlv_mm.records import path_below, write_json, write_table, write_text
from twlv_mm.video import ReadFault, VideoError, frames_of_windows, open_video

from . import provenance
from .encoder_check import check_encoder
from .runner import CheckpointError

SEGMENT_COLUMNS = ('label', 'index', 'start', 'end', 'score')


class InferenceSummary(NamedTuple):
    """What became of some videos.

    Attributes:
        done (int): Videos with a result.
        failures (list[dict]): video_id, path, stage ('open', 'decode', … as :class:`~twlv_mm.video.ReadFault` has them)
            and reason of those that could not be read.
    """

    done: int
    failures: list


def infer_videos(inferencer, source, out, overlay=False, **options):
    """Write ``<video_id>.json`` and a drawing for each video, and ``summary.csv`` with a line for each row of its.

    A video that cannot be read is listed in ``failures.jsonl``, and the rest goes on.

    Args:
        inferencer (Callable): What is called and draws; the module says how.
        source (str): As for :func:`twlv_mm.embeddings.find_videos`: a video, a folder, a pattern or a list.
        out (str): Folder to write to.
        overlay (bool): Also write ``<video_id>.mp4``, the video with what was found drawn on it.
        **options: What the inferencer is called with besides the video, ``top_k`` say.

    Returns:
        InferenceSummary: how many were done, and what failed.

    Raises:
        FileNotFoundError: if there is no such source, or no video in it.
        ValueError: as from calling the inferencer, if it draws on no videos, or if a video would be overwritten.
    """
    suffix = getattr(inferencer, 'drawing_suffix', '.png')
    overlay = overlay and suffix != '.mp4'
    if overlay and not hasattr(inferencer, 'draw_video'):
        raise ValueError(f'{type(inferencer).__name__} draws on no videos: leave out overlay')
    suffixes = [suffix, '.mp4'] if overlay else [suffix]
    videos = find_videos(source)
    out = Path(out)
    for video in videos:
        for drawing in (Path(f'{path_below(out, video.video_id)}{suffix}') for suffix in suffixes):
            if drawing.exists() and drawing.samefile(video.path):
                raise ValueError(f'{video.path} would be overwritten by what is drawn: give another folder to write to')
    out.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    for video in videos:
        stem = path_below(out, video.video_id)
        stem.parent.mkdir(parents=True, exist_ok=True)
        # Names may have dots, so with_suffix would cut them.
        json_file, *drawings = (Path(f'{stem}{suffix}') for suffix in ('.json', *suffixes))
        try:
            result = inferencer(video.path, **options)
            inferencer.draw(video.path, result, drawings[0])
            if overlay:
                inferencer.draw_video(video.path, result, drawings[1])
        except (VideoError, FileNotFoundError) as error:
            # A result of an earlier run would look like this one's.
            for path in (json_file, *drawings):
                path.unlink(missing_ok=True)
            stage = getattr(error, 'stage', 'open')
            failures.append(dict(video_id=video.video_id, path=video.path, stage=stage, reason=str(error)))
            continue
        write_json(json_file, result)
        rows += [(video.video_id, *row) for row in inferencer.rows(result)]
    write_table(out / 'summary.csv', ('video_id', *inferencer.columns), rows)
    write_text(out / 'failures.jsonl', ''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in failures))
    return InferenceSummary(len(videos) - len(failures), failures)


def load_model(cfg, checkpoint, device=None):
    """Build the model of a config and give it the weights of a run.

    Args:
        cfg (Config): The config.
        checkpoint (str | Path): What a training run of it has written.
        device (str, optional): Where to compute; a GPU if there is one.

    Returns:
        tuple[nn.Module, dict]: the model, in evaluation; the checkpoint's meta, empty where it has none.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        CheckpointError: if it is another model's.
        EncoderError: if the config contradicts its encoder.
        ValueError: if it cannot be read.
    """
    if not os.path.isfile(checkpoint):
        raise FileNotFoundError(f'there is no checkpoint {checkpoint}')
    check_encoder(cfg)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    model = copy.deepcopy(cfg.model)
    for part in (model, *model.values()):
        if isinstance(part, dict) and isinstance(part.get('weights'), str):
            part.weights = None  # the checkpoint holds all, and the file of the part may be gone
    model = MODELS.build(model)
    saved = read_checkpoint(checkpoint)
    try:
        model.load_state_dict(saved.get('state_dict', saved))
    except RuntimeError as error:
        reason = str(error) if len(str(error)) < 600 else f'{str(error)[:600]}…'
        raise CheckpointError(
            f"{checkpoint} does not hold the weights of {cfg.filename}'s model: give the config of the run that wrote "
            f'it. {reason}'
        ) from None
    meta = saved.get('meta')
    device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    return model.to(device).eval(), meta if isinstance(meta, dict) else {}


def made_with(cfg, checkpoint):
    """What every result says of its origin.

    Args:
        cfg (Config): The config.
        checkpoint (str | Path): The checkpoint.

    Returns:
        dict: config (path), checkpoint (path, sha256), versions.
    """
    return dict(
        config=cfg.filename,
        checkpoint=dict(path=os.fspath(checkpoint), sha256=file_sha256(checkpoint)),
        versions=provenance.versions(),
    )


@contextmanager
def reading(path, stage):
    """Let whatever readers and mmaction2's transforms raise for a damaged file be a ReadFault of a stage.

    Args:
        path (str): The video that is read within.
        stage (str): 'open' or 'decode'. A file that is missing when it is to be opened stays a FileNotFoundError.

    Raises:
        ReadFault: if the video cannot be read.
    """
    try:
        yield
    except _decoder_errors() as error:
        if isinstance(error, ReadFault) or (stage == 'open' and isinstance(error, FileNotFoundError)):
            raise
        reason = str(error) if isinstance(error, VideoError) else f'{path} cannot be decoded: {error}'
        raise ReadFault(reason, stage) from error


def read_strip(path, num_frames=10, start=0.0, end=None):
    """Read frames at equal distances in time, to show what a video or a part of it is about.

    Args:
        path (str): A video.
        num_frames (int): Frames, fewer where the video has fewer.
        start (float): Seconds at which the part begins.
        end (float, optional): Seconds at which it ends; the end of the video if None.

    Returns:
        tuple[ndarray, ndarray]: (n, H, W, 3) uint8 frames; (n,) seconds, the middles of equal parts.

    Raises:
        FileNotFoundError: if there is no such video.
        ReadFault: if it cannot be read, or ends before ``start``.
    """
    with reading(path, 'open'):
        video = open_video(path)
    with video, reading(path, 'decode'):
        duration, num_frames = video.frame_times[-1, 1], min(num_frames, len(video.frame_times))
        if start >= duration:
            raise ReadFault(f'{path} ends at {duration:.2f} s, before {start:.2f} s', 'decode')
        end = duration if end is None else min(end, duration)
        places = frames_of_windows(video.frame_times, np.array([[start, end]]), num_frames)[0]
        return video.read(places), start + (np.arange(num_frames) + 0.5) / num_frames * (end - start)


def segment_rows(result):
    """Lines of a summary, for a result whose predictions have a start and an end.

    Args:
        result (dict): What calling an inferencer gave.

    Returns:
        list[tuple]: the values of SEGMENT_COLUMNS for each prediction.
    """
    return [
        (one['label'], one['index'], *(f'{one[name]:.3f}' for name in ('start', 'end')), f'{one["score"]:.6f}')
        for one in result['predictions']
    ]


def _decoder_errors():
    """What transforms of mmaction2 raise for a file that cannot be decoded; ours raise VideoError."""
    errors = (VideoError, OSError, RuntimeError, UnicodeError, av.FFmpegError)
    try:
        from decord import DECORDError, DECORDLimitReachedError
    except ImportError:  # there are wheels for x86 only
        return errors
    return (*errors, DECORDError, DECORDLimitReachedError)
