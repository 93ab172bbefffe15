"""Masked pretraining of an encoder with one or several targets."""

import inspect

import torch
from mmengine.model import BaseModel
from torch import nn

from twlv_mm.encoders import VideoVisionTransformer
from twlv_mm.registry import MODELS

from .predictor import Predictor
from .targets import View
from .teacher import Teacher


@MODELS.register_module()
class MaskedPretrainer(BaseModel):
    """Show an encoder a part of each clip, and reconstruct targets from it; ``type='twlv_mm.MaskedPretrainer'``.

    The encoder runs on the visible patches only, once for each mask. The targets decide what is reconstructed; see
    :mod:`twlv_mm.pretraining.targets`.

    Args:
        backbone (dict): The encoder, a vision transformer over clips. As ``model.backbone`` it is found in the
            checkpoints of a run by ``get_model(arch, weights=CHECKPOINT)``.
        masks (list[dict]): Masks; losses are the mean over them.
        targets (dict[str, dict]): Targets, by the names of their losses in the log.
        predictor (dict, optional): Arguments of :class:`Predictor`: dims, depth, num_heads. Needed for targets on
            masked patches, and built only for them.
        teachers (dict[str, dict], optional): Arguments of :class:`Teacher` by the names that targets and masks use.
        data_preprocessor (dict, optional): As in mmaction2; mean and std must be the encoder's.

    Source: TWLV-I section 2.1, which only says masked modelling "with diversified reconstruction targets"; VideoMAE,
    UMT and V-JEPA for the components.
    """

    any_num_frames = True  # EncoderCheckHook: clips may have any whole number of tubelets

    def __init__(self, backbone, masks, targets, predictor=None, teachers=None, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        if not masks or not targets:
            raise ValueError('pretraining needs at least one mask and one target')
        self.backbone = MODELS.build(backbone)
        spec = self.backbone.spec
        if not isinstance(self.backbone, VideoVisionTransformer):
            raise ValueError(
                f'{spec.name} cannot leave patches out: masked pretraining trains a vision transformer of '
                'twlv_mm.list_models(); other encoders can be its teachers'
            )
        if self.backbone.frozen or spec.per_frame:
            reason = 'frozen' if self.backbone.frozen else 'made to see each frame alone'
            raise ValueError(f'{spec.name} is {reason}: masked pretraining must train an encoder of clips')
        self.teachers = {name: Teacher(spec, **settings) for name, settings in (teachers or {}).items()}
        self.masks = [MODELS.build(mask) for mask in masks]
        self._check_teachers(targets)
        self.targets = nn.ModuleDict()
        for name, settings in targets.items():
            given = dict(backbone=self.backbone, predictor_dims=(predictor or {}).get('dims'), teachers=self.teachers)
            self.targets[name] = _build_target(settings, given)
        predicts = any(target.on == 'masked' for target in self.targets.values())
        self.predictor = Predictor(self.backbone.arch, **predictor) if predicts else None

    def forward(self, inputs, data_samples=None, mode='loss'):
        """Losses of clips, (N, 3, T, H, W) or (N, 1, 3, T, H, W), or with mode 'tensor' the encoder's feature map.

        Images are clips of fewer frames in batches of their own. A ``sample_seed`` in all data_samples determines the
        masks; otherwise torch's random numbers do. The losses are ``loss_<name>`` of each target, weighted, and
        ``masked_fraction``, the share of the patches that the encoder did not see; both the mean over the masks.
        """
        video = inputs.flatten(0, 1) if inputs.ndim == 6 else inputs
        if mode == 'tensor':
            return self.extract_feat(video)
        if mode != 'loss':
            raise ValueError(f"mode must be 'loss' or 'tensor', not {mode!r}")
        grid = self.backbone.grid(video)
        generators = self._generators(len(video), data_samples)
        looked_at = {mask.teacher for mask in self.masks}
        features = {name: teacher(video, grid, name in looked_at) for name, teacher in self.teachers.items()}
        with torch.no_grad():
            values = {name: target.values(video, grid, features) for name, target in self.targets.items()}
        losses = dict.fromkeys((f'loss_{name}' for name in self.targets), 0)
        losses['masked_fraction'] = 0
        for mask in self.masks:
            attention = features[mask.teacher].attention if mask.teacher else None
            keep, masked = (part.to(video.device) for part in mask(grid, generators, attention))
            view = self._look(video, grid, keep, masked)
            for name, target in self.targets.items():
                losses[f'loss_{name}'] += target(view, values[name]) / len(self.masks)
            unseen = 1 - keep.shape[1] / (grid[0] * grid[1] * grid[2])
            losses['masked_fraction'] += torch.tensor(unseen / len(self.masks), device=video.device)
        return losses

    def extract_feat(self, video):
        """(N, 3, T, H, W) -> (N, D, T', H', W'), nothing masked."""
        return self.backbone(video)

    def encode(self, video, keep):
        """(N, 3, T, H, W), (N, K) indices of visible patches -> (N, K', D), a class token first if there is one."""
        return self.backbone.tokens(video, keep)

    def _look(self, video, grid, keep, masked):
        tokens = self.encode(video, keep)
        visible = tokens[:, -keep.shape[1] :]
        predicted = None if self.predictor is None else self.predictor(visible, keep, masked, grid)
        pooled = self.backbone.pool(tokens, (1, 1, keep.shape[1]))
        return View(visible, keep, predicted, masked, pooled)

    def _generators(self, count, data_samples):
        seeds = [sample.get('sample_seed') for sample in data_samples or []]
        if len(seeds) != count or None in seeds:
            seeds = torch.randint(2**62, (count,)).tolist()
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    def _check_teachers(self, targets):
        wanted = {settings['teacher'] for settings in targets.values() if 'teacher' in settings}
        wanted |= {mask.teacher for mask in self.masks if mask.teacher}
        for name in sorted(wanted ^ self.teachers.keys()):
            what = 'is not among the teachers' if name in wanted else 'is used by no target and no mask'
            raise ValueError(
                f'teacher {name!r} {what}; teachers are {sorted(self.teachers)}, used are {sorted(wanted)}'
            )


def _build_target(settings, given):
    """Build a target with those of the pretrainer's parts that its constructor takes."""
    wanted = inspect.signature(MODELS.get(settings['type']).__init__).parameters
    return MODELS.build(settings, default_args={key: part for key, part in given.items() if key in wanted})
