"""Actions in given boxes of persons, with the parts of mmdet and mmaction2."""

import mmaction.models  # noqa: F401  registers AVARoIHead and its parts in mmdet's scope
from mmdet.models.detectors import FastRCNN
from mmengine.structures import InstanceData

from twlv_mm.registry import MODELS


@MODELS.register_module()
class ROIDetector(FastRCNN):
    """mmdet's FastRCNN with mmaction2's AVARoIHead, made robust; in configs ``type='twlv_mm.ROIDetector'``.

    Unlike upstream's, it predicts batches of more than one clip; names a clip without proposals; handles clips without
    a person, in training (after a crop, say) and in prediction; and notices if the feature map does not have the stride
    that RoIAlign assumes, as with an encoder of another patch size. Boxes are pooled in float32, and proposals stay
    unchanged.

    Takes samples with proposals, bboxes (m, 4 or 5) in pixels with or without a score, and in training gt_instances,
    bboxes (n, 4) and labels (n, C) 0 or 1, column 0 unused. ``predict`` adds pred_instances: bboxes (m, 4) normalised
    to [0, 1] and scores (m, C), column 0 being 0.

    Args:
        backbone (dict): An encoder of this package, or one of mmaction2 for detection.
        roi_head (dict): An AVARoIHead; ``bbox_roi_extractor.featmap_stride`` must be the encoder's.
        train_cfg (dict): ``rcnn``: assigner and sampler, as in mmaction2.
        test_cfg (dict): ``rcnn``, as in mmaction2.
        **kwargs: neck, data_preprocessor and init_cfg, as in mmdet.
    """

    @property
    def choices(self):
        return dict(head=type(self.roi_head).__name__, boxes='proposals')

    def extract_feat(self, batch_inputs):
        """(N, 3, T, H, W) -> feature maps (N, D, T', H', W') in float32, one of each pathway."""
        features = super().extract_feat(batch_inputs)
        features = features if isinstance(features, tuple) else (features,)
        stride = self.roi_head.bbox_roi_extractor.featmap_stride
        size, found = tuple(batch_inputs.shape[-2:]), tuple(features[0].shape[-2:])
        if found != tuple(-(-side // stride) for side in size):
            raise ValueError(
                f'the encoder makes maps of {found} from images of {size}, which is not a stride of {stride}: set '
                f'model.roi_head.bbox_roi_extractor.featmap_stride={round(size[0] / found[0])}'
            )
        return tuple(maps.float() for maps in features)

    def loss(self, batch_inputs, batch_data_samples):
        proposals = _proposals(batch_data_samples)
        features = self.extract_feat(batch_inputs)
        # Clips without a labelled box add no loss.
        labelled = [place for place, sample in enumerate(batch_data_samples) if len(sample.gt_instances.bboxes)]
        if not labelled:
            return self._no_loss(features, batch_data_samples)
        return self.roi_head.loss(
            tuple(maps[labelled] for maps in features),
            [proposals[place] for place in labelled],
            [batch_data_samples[place] for place in labelled],
        )

    def predict(self, batch_inputs, batch_data_samples, rescale=True):
        proposals = _proposals(batch_data_samples)
        features = self.extract_feat(batch_inputs)
        if any(len(given) for given in proposals):
            metas = [sample.metainfo for sample in batch_data_samples]
            found = self.roi_head.predict_bbox(features, metas, proposals, rcnn_test_cfg=self.roi_head.test_cfg)
        else:
            classes = self.roi_head.bbox_head.num_classes
            found = [
                InstanceData(bboxes=given.bboxes, scores=given.bboxes.new_zeros(0, classes)) for given in proposals
            ]
        for instances in found:
            instances.scores[:, 0] = 0  # never trained
        return self.add_pred_to_datasample(batch_data_samples, found)

    def _no_loss(self, features, samples):
        # Through the head, because all processes must have gradients of the same parameters.
        height, width = samples[0].img_shape
        rois = features[0].new_tensor([[0, 0, 0, width, height]])
        scores = self.roi_head._bbox_forward(features, rois, [sample.metainfo for sample in samples])['cls_score']
        return dict(loss_action_cls=scores.sum() * 0)


def _proposals(samples):
    """The proposals of each sample without scores; a copy, since AVARoIHead renames its input."""
    for sample in samples:
        if 'proposals' not in sample:
            raise ValueError(
                f'{sample.get("img_key", "a sample")} has no proposals to classify: give the dataset a '
                'proposal_file, or use a model that finds boxes itself (twlv_mm.SpatioTemporalDetector)'
            )
    return [InstanceData(bboxes=sample.proposals.bboxes[:, :4]) for sample in samples]
