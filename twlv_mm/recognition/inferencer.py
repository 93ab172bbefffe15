"""Videos in, named classes with scores out."""

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


class VideoLabels:
    """What inferencers of recognition share: from the scores of a video's classes to the best, drawn and in a table.

    Attributes:
        classes (list[str]): Names of the classes.
    """

    columns = ('label', 'index', 'score', 'duration_seconds')

    def scores(self, path):
        """Score the classes.

        Args:
            path (str): A video.

        Returns:
            tuple[Tensor, float, dict]: (C,) scores; the video's duration in seconds; for json, what this video was read
            with.
        """
        raise NotImplementedError

    @torch.no_grad()
    def __call__(self, path, top_k=5):
        """Recognise.

        Args:
            path (str): A video.
            top_k (int): Classes that are named, all of them if there are fewer.

        Returns:
            dict: for json: video, duration_seconds, predictions (a dict of label, index and score for each of the
            top k, best first; probabilities, where the head's ``average_clips`` is 'prob'), model (type, head,
            encoder), config, checkpoint (path, sha256), decoder (name, version), versions. Of a classifier of
            embeddings, also encoder (name, weights_sha256, clip_seconds, stride_seconds); of kNN bank (folder,
            vectors, k) in the place of the checkpoint.
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it has to be 1 or more')
        path = os.fspath(path)
        scores, duration, read_with = self.scores(path)
        scores = scores.float().cpu()
        if not scores.isfinite().all():
            raise ValueError(f'{path} has scores that are no finite numbers: is the checkpoint of a run that diverged?')
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
        """Draw frames of a video and the scores of its classes.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out_png (str): Where to.
        """
        frames, _ = read_strip(path, STRIP_FRAMES)
        labels, scores = zip(*((one['label'], one['score']) for one in result['predictions']), strict=True)
        draw_video_labels(out_png, frames, labels, scores, title=os.path.basename(path))

    @staticmethod
    def rows(result):
        """Lines of a summary.

        Args:
            result (dict): What calling the inferencer gave.

        Returns:
            list[tuple]: the values of ``columns`` for the best class.
        """
        best = result['predictions'][0]
        return [(best['label'], best['index'], f'{best["score"]:.6f}', result['duration_seconds'])]


class RecognitionInferencer(VideoLabels):
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
            the config's ``class_names``, those of the training list, or else numbers.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`; the config's if None.
    """

    def __init__(self, config, checkpoint, device=None, classes=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        if provenance.decoder(cfg.get('test_dataloader')) is None:
            raise ValueError(
                f'the test pipeline of {cfg.filename} opens no videos: give the config of a probe on video'
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
        """Score the classes; see the base class."""
        with reading(path, 'open'), open_video(path) as video:
            duration = float(video.frame_times[-1, 1])
        # A set of segments has start and end of each; here, the segment is the video.
        sample = dict(filename=path, label=-1, start_index=0, modality='RGB', start=0.0, end=duration)
        with reading(path, 'decode'):
            sample = self.pipeline(sample)
        return self.model.test_step(pseudo_collate([sample]))[0].pred_score, duration, {}


def _without_caches(pipeline):
    """A pipeline that does not keep the frames of every video that it has seen."""
    return [inner for step in pipeline for inner in (step.transforms if 'CachedFrames' in step.type else [step])]
