"""Videos in, named classes with scores out."""

import copy
import csv
import json
import os
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.embeddings import find_videos
from twlv_mm.encoders import file_sha256, read_checkpoint
from twlv_mm.engine import CheckpointError, provenance
from twlv_mm.video import VideoError, open_video

from .class_metrics import class_names, read_class_names

STRIP_FRAMES = 8


class RecognitionInferencer:
    """Recognise the action of a video, with the views of the config's test pipeline.

    ::

        inferencer = RecognitionInferencer('my_config.py', 'epoch_20.pth', classes='label_map_videos.txt')
        result = inferencer('match.mp4')
        result['predictions'][0]  # dict(label='serving', index=7, score=0.93)
        inferencer.draw('match.mp4', result, 'match.png')

    Args:
        config (str | Path | Config): Config of a probe on live video.
        checkpoint (str | Path): What a training run of that config has written.
        device (str, optional): Where to compute; a GPU if there is one.
        classes (str | Sequence[str], optional): The names of the classes, or a file of them, one a line. Without it,
            the config's ``class_names``, or else numbers.

    Raises:
        FileNotFoundError: if the config, the checkpoint or the file of names is not there.
        CheckpointError: if the checkpoint is another model's.
        ValueError: if the checkpoint cannot be read, the config tests on no videos, or there are more or fewer names
            than classes.
    """

    def __init__(self, config, checkpoint, device=None, classes=None):
        cfg = config if isinstance(config, Config) else Config.fromfile(config)
        checkpoint = os.fspath(checkpoint)
        if not os.path.isfile(checkpoint):
            raise FileNotFoundError(f'there is no checkpoint {checkpoint}')
        decoder = provenance.decoder(cfg.get('test_dataloader'))
        if decoder is None:
            raise ValueError(
                f'the test pipeline of {cfg.filename} opens no videos: give the config of a probe on video'
            )
        init_default_scope(cfg.get('default_scope', 'mmaction'))
        model = copy.deepcopy(cfg.model)
        for part in (model.backbone, model.cls_head):
            if part.get('weights') is not None:
                part.weights = None  # the checkpoint holds all, and the file of the part may be gone
        self.model = MODELS.build(model)
        _load(self.model, checkpoint, cfg.filename)
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        self.model.to(self.device).eval()
        self.pipeline = Compose(_without_caches(cfg.test_dataloader.dataset.pipeline))
        names = cfg.get('class_names') if classes is None else classes
        self.classes = class_names(None if names is None else read_class_names(names), self.model.cls_head.num_classes)
        self._made_with = dict(
            model=dict(
                type=type(self.model).__name__,
                head=type(self.model.cls_head).__name__,
                encoder=provenance.encoder(self.model)['name'],
            ),
            config=cfg.filename,
            checkpoint=dict(path=checkpoint, sha256=file_sha256(checkpoint)),
            decoder=decoder,
            versions=provenance.versions(),
        )

    @torch.no_grad()
    def __call__(self, path, top_k=5):
        """Recognise.

        Args:
            path (str): A video.
            top_k (int): Classes that are named, all of them if there are fewer.

        Returns:
            dict: for json: video, duration_seconds, predictions (a dict of label, index and score for each of the
            top k, best first; probabilities, where the head's ``average_clips`` is 'prob'), model (type, head,
            encoder), config, checkpoint (path, sha256), decoder (name, version), versions.

        Raises:
            FileNotFoundError: if there is no such video.
            VideoError: if it cannot be read.
            ValueError: if ``top_k`` is less than 1, or scores are no finite numbers.
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it has to be 1 or more')
        path = os.fspath(path)
        with open_video(path) as video:
            duration = float(video.frame_times[-1, 1])
        # A set of segments has start and end of each; here, the segment is the video.
        sample = dict(filename=path, label=-1, start_index=0, modality='RGB', start=0.0, end=duration)
        try:
            sample = self.pipeline(sample)
        except _decoder_errors() as error:
            raise VideoError(f'{path} cannot be decoded: {error}') from error
        scores = self.model.test_step(pseudo_collate([sample]))[0].pred_score.float().cpu()
        if not scores.isfinite().all():
            raise ValueError(f'{path} has scores that are no finite numbers: is the checkpoint of a run that diverged?')
        best = scores.argsort(descending=True, stable=True)[:top_k].tolist()
        predictions = [dict(label=self.classes[i], index=i, score=float(scores[i])) for i in best]
        return dict(video=path, duration_seconds=round(duration, 3), predictions=predictions, **self._made_with)

    def draw(self, path, result, out_png):
        """Draw frames of a video and the scores of its classes.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out_png (str): Where to.

        Raises:
            FileNotFoundError: if there is no such video.
            VideoError: if it cannot be read.
        """
        # Not before it draws: this chooses matplotlib's backend for files, and tools/test.py --show needs a window.
        from twlv_mm.visualization import draw_video_labels

        with open_video(path) as video:
            count = len(video.frame_times)
            # The middles of equal parts.
            places = (np.arange(min(count, STRIP_FRAMES)) + 0.5) * count / min(count, STRIP_FRAMES)
            frames = video.read(places.astype(int))
        labels, scores = zip(*((one['label'], one['score']) for one in result['predictions']), strict=True)
        draw_video_labels(out_png, frames, labels, scores, title=os.path.basename(path))


class InferenceSummary(NamedTuple):
    """What became of some videos.

    Attributes:
        done (int): Videos with a result.
        failures (list[dict]): video_id, path and reason of those that could not be read.
    """

    done: int
    failures: list


def infer_videos(inferencer, source, out, top_k=5):
    """Write ``<video_id>.json`` and ``.png`` for each video, and ``summary.csv`` with a line a video.

    A video that cannot be read is listed in ``failures.jsonl``, and the rest goes on.

    Args:
        inferencer (RecognitionInferencer): What is called and draws.
        source (str): As for :func:`twlv_mm.embeddings.find_videos`: a video, a folder, a pattern or a list.
        out (str): Folder to write to.
        top_k (int): Classes that are named.

    Returns:
        InferenceSummary: how many were done, and what failed.

    Raises:
        FileNotFoundError: if there is no such source, or no video in it.
        ValueError: as from calling the inferencer.
    """
    videos = find_videos(source)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    for video in videos:
        stem = out / video.video_id
        stem.parent.mkdir(parents=True, exist_ok=True)
        # Names may have dots, so with_suffix would cut them.
        json_file, picture = Path(f'{stem}.json'), Path(f'{stem}.png')
        try:
            result = inferencer(video.path, top_k)
            inferencer.draw(video.path, result, picture)
        except (VideoError, FileNotFoundError) as error:
            # A result of an earlier run would look like this one's.
            json_file.unlink(missing_ok=True)
            picture.unlink(missing_ok=True)
            failures.append(dict(video_id=video.video_id, path=video.path, reason=str(error)))
            continue
        json_file.write_text(json.dumps(result, indent=2, allow_nan=False) + '\n')
        best = result['predictions'][0]
        rows.append((video.video_id, best['label'], best['index'], f'{best["score"]:.6f}', result['duration_seconds']))
    with (out / 'summary.csv').open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(('video_id', 'label', 'index', 'score', 'duration_seconds'))
        writer.writerows(rows)
    (out / 'failures.jsonl').write_text(''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in failures))
    return InferenceSummary(len(rows), failures)


def _load(model, path, config):
    checkpoint = read_checkpoint(path)
    try:
        model.load_state_dict(checkpoint.get('state_dict', checkpoint))
    except RuntimeError as error:
        reason = str(error) if len(str(error)) < 600 else f'{str(error)[:600]}…'
        raise CheckpointError(
            f"{path} does not hold the weights of {config}'s model: give the config of the run that wrote it. {reason}"
        ) from None


def _without_caches(pipeline):
    """A pipeline that does not keep the frames of every video that it has seen."""
    return [inner for step in pipeline for inner in (step.transforms if 'CachedFrames' in step.type else [step])]


def _decoder_errors():
    """What mmaction2's and our decoding transforms raise for a damaged file."""
    errors = (VideoError, OSError, RuntimeError, av.FFmpegError)
    try:
        from decord import DECORDError
    except ImportError:  # there are wheels for x86 only
        return errors
    return (*errors, DECORDError)
