"""From decoded queries to boxes with classes, and their losses."""

import math

import torch
from mmdet.models.dense_heads import DETRHead
from mmdet.models.layers import MLP
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_xyxy_to_cxcywh
from mmdet.utils import reduce_mean
from mmengine.structures import InstanceData
from torch import nn

from twlv_mm.registry import MODELS

from .decoder import grid_centres

PRIOR = 0.01  # probability of every class before training


@MODELS.register_module()
class TubeletHead(DETRHead):
    """Boxes of each query in every frame, and the probability of each class in the keyframe.

    Queries and people are matched one to one in the keyframe, by classes and boxes (DETR). Unmatched queries are
    trained towards zero class scores. Box losses use every labelled frame, class losses the keyframe; losses apply to
    every decoder layer (auxiliary losses).

    Each spatial query starts from its own anchor and predicts offsets from it; the anchors are learnt too, and start as
    a grid over the image. Without them, queries specialise in parts of the image only slowly.

    Args:
        num_classes (int): Columns of the labels; the first is unused (mmaction2's convention for AVA).
        num_queries (int): S of the decoder.
        embed_dims (int): C of the decoder.
        num_reg_fcs (int): Layers of the MLP for boxes.
        loss_cls (dict, optional): mmdet's FocalLoss by default, weight 2, alpha 0.25, gamma 2 (assumed).
        loss_bbox (dict, optional): L1Loss of weight 5 by default, as DETR.
        loss_iou (dict, optional): GIoULoss of weight 2 by default, as DETR.
        assigner (dict, optional): mmdet's HungarianAssigner by default, whose costs are those of the losses.

    Source: Gritsenko et al. 2023 (STAR); Carion et al. 2020 (DETR); TWLV-I Table 8: a box head of three layers.
    """

    def __init__(
        self,
        num_classes,
        num_queries=64,
        embed_dims=256,
        num_reg_fcs=3,
        loss_cls=None,
        loss_bbox=None,
        loss_iou=None,
        assigner=None,
    ):
        self.num_queries = num_queries
        super().__init__(
            num_classes=num_classes,
            embed_dims=embed_dims,
            num_reg_fcs=num_reg_fcs,
            loss_cls=loss_cls or dict(type='mmdet.FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=2.0),
            loss_bbox=loss_bbox or dict(type='mmdet.L1Loss', loss_weight=5.0),
            loss_iou=loss_iou or dict(type='mmdet.GIoULoss', loss_weight=2.0),
            train_cfg=dict(assigner=assigner or ASSIGNER),
            test_cfg=None,
        )

    def _init_layers(self):
        self.fc_cls = nn.Linear(self.embed_dims, self.num_classes)
        nn.init.constant_(self.fc_cls.bias, -math.log((1 - PRIOR) / PRIOR))
        self.reg_mlp = MLP(self.embed_dims, self.embed_dims, 4, self.num_reg_fcs)
        # Boxes start as the anchors.
        nn.init.zeros_(self.reg_mlp.layers[-1].weight)
        nn.init.zeros_(self.reg_mlp.layers[-1].bias)
        self.anchors = nn.Parameter(torch.special.logit(_grid(self.num_queries)))

    def forward(self, hidden):
        """(layers, N, T, S, C) -> logits (..., num_classes), boxes (..., 4): centre and size normalised to [0, 1]."""
        if hidden.shape[-2:] != (self.num_queries, self.embed_dims):
            raise ValueError(
                f'the decoder has {hidden.shape[-2]} queries of {hidden.shape[-1]} dimensions, the head expects '
                f'{self.num_queries} of {self.embed_dims}: set the same num_queries and embed_dims in model.decoder '
                'and model.head'
            )
        return self.fc_cls(hidden).float(), (self.reg_mlp(hidden).float() + self.anchors).sigmoid()

    def loss(self, hidden, data_samples, key_frames):
        """Losses of a batch: loss_cls, loss_bbox and loss_iou of the last layer, and ``d0.…``, ``d1.…`` of the others.

        Args:
            hidden (Tensor): (layers, N, T, S, C).
            data_samples (list[ActionDataSample]): With gt_instances: bboxes (n, 4) pixels in the keyframe, labels (n,
                num_classes) multi-hot, perhaps tubes (n, T, 4) and tube_valid (n, T); and the metainfo img_shape.
            key_frames (list[int]): Index of the keyframe among the T, for each sample.
        """
        logits, boxes = self(hidden)
        if not (logits.isfinite().all() and boxes.isfinite().all()):
            raise ValueError(
                "the detector's output contains NaN or Inf: its training diverged; lower the learning rate"
            )
        targets = [_Target(sample, place, boxes) for sample, place in zip(data_samples, key_frames, strict=True)]
        *others, last = (self._layer_loss(*layer, targets, key_frames) for layer in zip(logits, boxes, strict=True))
        return last | {f'd{place}.{name}': loss for place, layer in enumerate(others) for name, loss in layer.items()}

    def predict(self, hidden, data_samples, key_frames, with_tubes=False):
        """Add all boxes and scores of the last layer to the samples.

        Their pred_instances are bboxes (S, 4), corners normalised to [0, 1], scores (S, num_classes) from 0 to 1, the
        first column 0, and ``with_tubes`` tubes (S, T, 4), the boxes of every frame.
        """
        logits, boxes = self(hidden[-1:])
        for sample, place, scores, tubes in zip(data_samples, key_frames, logits[0].sigmoid(), boxes[0], strict=True):
            if not (scores.isfinite().all() and tubes.isfinite().all()):
                raise ValueError(
                    f"the detector's output for {sample.img_key} contains NaN or Inf: its training diverged"
                )
            tubes = bbox_cxcywh_to_xyxy(tubes).clamp(0, 1)
            scores = scores[place].clone()
            scores[:, 0] = 0
            sample.pred_instances = InstanceData(bboxes=tubes[place], scores=scores)
            if with_tubes:
                sample.pred_instances.tubes = tubes.transpose(0, 1)
        return data_samples

    def _layer_loss(self, logits, boxes, targets, key_frames):
        key_logits, key_boxes = (
            torch.stack([x[place] for x, place in zip(layer, key_frames, strict=True)]) for layer in (logits, boxes)
        )
        matches = [self._match(*each) for each in zip(key_logits.detach(), key_boxes.detach(), targets, strict=True)]
        labels = torch.zeros_like(key_logits)
        for target, (queries, people), one in zip(targets, matches, labels, strict=True):
            one[queries] = target.labels[people]
        found, wanted = (
            torch.cat(parts)
            for parts in zip(
                *(
                    (x.transpose(0, 1)[queries][target.valid[people]], target.tubes[people][target.valid[people]])
                    for x, (queries, people), target in zip(boxes, matches, targets, strict=True)
                ),
                strict=True,
            )
        )
        # Averaged over processes, so that a person counts the same in all of them.
        people = reduce_mean(logits.new_tensor(float(sum(len(target.labels) for target in targets)))).clamp(min=1)
        count = reduce_mean(logits.new_tensor(float(len(found)))).clamp(min=1)
        return dict(
            loss_cls=self.loss_cls(key_logits.flatten(0, 1), labels.flatten(0, 1), avg_factor=people),
            loss_bbox=self.loss_bbox(found, wanted, avg_factor=count),
            loss_iou=self.loss_iou(bbox_cxcywh_to_xyxy(found), bbox_cxcywh_to_xyxy(wanted), avg_factor=count),
        )

    def _match(self, logits, boxes, target):
        """Indices of the matched queries and of their people."""
        corners = bbox_cxcywh_to_xyxy(boxes) * target.scale
        assigned = self.assigner.assign(
            pred_instances=InstanceData(scores=logits, bboxes=corners),
            gt_instances=target.people,
            img_meta=dict(img_shape=target.img_shape),
        ).gt_inds
        queries = assigned.nonzero().squeeze(-1)
        return queries, assigned[queries] - 1


ASSIGNER = dict(
    type='mmdet.HungarianAssigner',
    match_costs=[
        dict(type='mmdet.BinaryFocalLossCost', weight=2.0),
        dict(type='mmdet.BBoxL1Cost', weight=5.0, box_format='xywh'),
        dict(type='mmdet.IoUCost', iou_mode='giou', weight=2.0),
    ],
)


class _Target:
    """Targets of a clip: labels (n, C), tubes (n, T, 4) in the format of boxes, valid (n, T)."""

    def __init__(self, sample, key_frame, boxes):
        truth = sample.gt_instances
        num_frames, device = boxes.shape[2], boxes.device
        self.img_shape = tuple(sample.img_shape[:2])
        height, width = self.img_shape
        self.scale = boxes.new_tensor([width, height, width, height])
        self.labels = truth.labels.to(boxes)
        corners = truth.bboxes.to(boxes)
        self.tubes = boxes.new_zeros(len(corners), num_frames, 4)
        self.valid = torch.zeros(len(corners), num_frames, dtype=torch.bool, device=device)
        if 'tubes' in truth:
            if truth.tubes.shape[1] != num_frames:
                raise ValueError(
                    f'{sample.img_key}: ground truth covers {truth.tubes.shape[1]} frames, the decoder predicts '
                    f'{num_frames}: set model.decoder.num_frames={truth.tubes.shape[1]}'
                )
            self.tubes, self.valid = truth.tubes.to(boxes), truth.tube_valid.to(device).clone()
        self.tubes = self.tubes.clone()
        self.tubes[:, key_frame], self.valid[:, key_frame] = corners, True
        self.tubes = bbox_xyxy_to_cxcywh(self.tubes / self.scale)
        # For BinaryFocalLossCost; one-dimensional labels are required, and not used.
        self.people = InstanceData(
            labels=torch.zeros(len(corners), dtype=torch.long, device=device),
            bboxes=corners,
            positive_maps=self.labels,
            text_token_mask=torch.ones_like(self.labels),
        )


def _grid(count):
    """Anchors (count, 4): at the decoder's initial queries, with sides of a quarter of the image."""
    return torch.cat([grid_centres(count), torch.full((count, 2), 0.25)], dim=1)
