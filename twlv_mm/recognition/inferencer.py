"""Classify videos: the base class of recognition's inferencers, and the one of probes on live video."""

import os

import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.encoders import read_config
from twlv_mm.inference import load_model, made_with, read_strip, reading
from twlv_mm.records import class_names, provenance
from twlv_mm.video import open_video
from twlv_mm.visualization import draw_video_labels

STRIP_FRAMES = 8


class LabelInferencer:
    """From the scores of a video's classes to the best ones, a picture and rows of a table.

    Attributes:
        classes (list[str]): Class names.
    """

    columns = ('label', 'index', 'score', 'duration_seconds')

    def scores(self, path):
        """Score the classes of a video (a path).

        Returns:
            tuple[Tensor, float, dict]: (C,) scores; duration in seconds; further entries for the json.
        """
        raise NotImplementedError

    @torch.no_grad()
    def __call__(self, path, top_k=5):
        """Classify a video.

        Args:
            path (str): A video.
            top_k (int): Number of classes to return.

        Returns:
            dict: for json: video, duration_seconds, predictions (label, index and score of the top k, best first;
            probabilities if the head's ``average_clips`` is 'prob'), model (type, head, encoder), config, checkpoint
            (path, sha256), decoder (name, version), versions. With classifiers of embeddings also encoder (name,
            weights_sha256, clip_seconds, stride_seconds); with kNN bank (folder, vectors, k) instead of the checkpoint.
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it must be 1 or more')
        path = os.fspath(path)
        scores, duration, read_with = self.scores(path)
        scores = scores.float().cpu()
        if not scores.isfinite().all():
            raise ValueError(f'{path} has NaN or infinite scores: did the training diverge?')
        best = scores.argsort(descending=True, stable=True)[:top_k].tolist()
        predictions = [dict(label=self.classes[i], index=i, score=float(scores[i])) for i in best]
        return dict(
            video=path,
            duration_seconds=round(duration, 3),
            predictions=predictions,
            **self._made_with,
            **read_with,
        )

    def draw(self, path, result, out_png):
        """Draw frames of a video and the scores in a result of :meth:`__call__` to a PNG file."""
        frames, _ = read_strip(path, STRIP_FRAMES)
        labels, scores = zip(*((one['label'], one['score']) for one in result['predictions']), strict=True)
        draw_video_labels(out_png, frames, labels, scores, title=os.path.basename(path))

    @staticmethod
    def rows(result):
        """The values of ``columns`` for the best class of a result, as one row."""
        best = result['predictions'][0]
        return [(best['label'], best['index'], f'{best["score"]:.6f}', result['duration_seconds'])]


class RecognitionInferencer(LabelInferencer):
    """Recognise the action of a video with the views of the config's test pipeline.

    ::

        inferencer = RecognitionInferencer('my_config.py', 'epoch_20.pth', classes='label_map_videos.txt')
        result = inferencer('match.mp4')
        result['predictions'][0]  # dict(label='serving', index=7, score=0.93)
        inferencer.draw('match.mp4', result, 'match.png')

    Args:
        config (str | Path | Config): Config of a probe on live video.
        checkpoint (str | Path): Checkpoint of a training run of that config.
        device (str, optional): Where to compute; a GPU if there is one.
        classes (str | Sequence[str], optional): Class names, or a file with one a line. By default, the config's
            ``class_names``, those of the training list, else numbers.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`; the config's if None.
    """

    def __init__(self, config, checkpoint, device=None, classes=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        if provenance.decoder(cfg.get('test_dataloader')) is None:
            raise ValueError(
                f'the test pipeline of {cfg.filename} does not open videos: give the config of a probe on video'
            )
        pipeline = _without_caches(cfg.test_dataloader.dataset.pipeline)
        if decoder is not None:
            opening = [step for step in pipeline if step.type.split('.')[-1] == 'OpenVideo']
            if not opening:
                raise ValueError(f'the test pipeline of {cfg.filename} has no OpenVideo: leave the decoder out')
            opening[0].decoder = decoder
        self.model, meta = load_model(cfg, checkpoint, device)
        self.pipeline = Compose(pipeline)
        trained_on = (meta.get('dataset_meta') or {}).get('classes')
        names = cfg.get('class_names', trained_on) if classes is None else classes
        self.classes = class_names(names, self.model.cls_head.num_classes)
        self._made_with = dict(
            model=dict(
                type=type(self.model).__name__,
                head=type(self.model.cls_head).__name__,
                encoder=provenance.encoder(getattr(self.model, 'backbone', None))['name'],
            ),
            decoder=provenance.decoder(cfg.test_dataloader),
            **made_with(cfg, checkpoint),
        )

    def scores(self, path):
        with reading(path, 'open'), open_video(path) as video:
            duration = float(video.frame_times[-1, 1])
        # start and end, for pipelines of segments: here the whole video.
        sample = dict(filename=path, label=-1, start_index=0, modality='RGB', start=0.0, end=duration)
        with reading(path, 'decode'):
            sample = self.pipeline(sample)
        return self.model.test_step(pseudo_collate([sample]))[0].pred_score, duration, {}


def _without_caches(pipeline):
    """The pipeline without the steps that cache the frames of every video."""
    return [inner for step in pipeline for inner in (step.transforms if 'CachedFrames' in step.type else [step])]
