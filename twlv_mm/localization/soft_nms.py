"""Non-maximum suppression of temporal segments, soft or hard, without compiled code."""

import numpy as np
import torch

TINY = np.finfo(np.float32).tiny


def suppress(
    segments,
    scores,
    labels,
    *,
    sigma=0.5,
    iou_threshold=0.1,
    min_score=1e-3,
    max_segments=200,
    method='soft',
    per_class=True,
    voting_threshold=0.7,
):
    """Suppress candidate segments that overlap better ones.

    The best candidate is kept, and those that overlap it lose score (soft) or are dropped (hard); then the best of the
    rest is kept, and so on. Computed on the CPU in float32. Ties in score are broken by the order of the input.

    Args:
        segments (Tensor): (N, 2) starts and ends, in any unit of time, end >= start.
        scores (Tensor): (N,) scores.
        labels (Tensor): (N,) int64 class indices.
        sigma (float): Soft: the score is multiplied by exp(-IoU^2 / sigma).
        iou_threshold (float): Hard: candidates that overlap a kept one by this IoU or more are dropped.
        min_score (float): Candidates with a lower score, decayed or not, are dropped.
        max_segments (int): Maximum number of kept segments, of all classes together.
        method (str): 'soft' or 'hard'.
        per_class (bool): Whether only candidates of the same class compete.
        voting_threshold (float): Unless per_class, a kept segment becomes the mean of the candidates with this IoU or
            more with it, weighted by their scores before suppression; 0 leaves it as it is.

    Returns:
        tuple[Tensor, Tensor, Tensor]: the kept segments (P, 2) float32, scores (P,) float32 and labels (P,), best
        first.

    Source: Bodla et al. 2017 in the form of ActionFormer (Zhang et al. 2022); sigma, voting_threshold and max_segments
    as in TWLV-I's evaluation code for THUMOS14.
    """
    if method not in ('soft', 'hard'):
        raise ValueError(f"method must be 'soft' or 'hard', it is {method!r}")
    if sigma <= 0:
        raise ValueError(f'sigma must be above 0, it is {sigma}')
    device = segments.device
    segments, scores = (values.detach().float().cpu().numpy() for values in (segments, scores))
    labels = labels.cpu().numpy()
    _check(segments, scores, labels)

    def decay(left, overlap):
        if method == 'hard':
            return np.where(overlap < iou_threshold, left, -np.inf)
        # Not 0, which would turn the -inf of those already kept into NaN.
        return left * np.maximum(np.exp(overlap * overlap / -sigma), TINY)

    classes = labels if per_class else np.zeros_like(labels)
    vote_iou = 0 if per_class else voting_threshold
    kept, kept_segments, kept_scores = _pick(segments, scores, classes, decay, min_score, max_segments, vote_iou)
    return tuple(torch.from_numpy(values).to(device) for values in (kept_segments, kept_scores, labels[kept]))


def _check(segments, scores, labels):
    if segments.ndim != 2 or segments.shape[1] != 2 or not len(segments) == len(scores) == len(labels):
        raise ValueError(
            'segments must be (N, 2), scores and labels (N,), for the same N candidates; they are '
            f'{segments.shape}, {scores.shape} and {labels.shape}'
        )
    finite = np.isfinite(segments).all(axis=1) & np.isfinite(scores)
    if not finite.all():
        place = int(finite.argmin())
        raise ValueError(f'candidate {place} is {segments[place]} with score {scores[place]}: all must be finite')
    backwards = segments[:, 1] < segments[:, 0]
    if backwards.any():
        place = int(backwards.argmax())
        raise ValueError(f'candidate {place} ends before it starts: {segments[place]}')


def _pick(segments, scores, classes, decay, min_score, max_segments, vote_iou):
    # Scores only fall, so the best of all classes is picked in turn: max_segments picks in total, not per class.
    order = classes.argsort(kind='stable')
    _, first, group = np.unique(classes[order], return_index=True, return_inverse=True)
    bounds = np.append(first, len(order))
    # Rivals are contiguous in the order of the classes; the scores keep that of the input, for ties.
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    starts, ends = segments[order].T.copy()
    left = scores.copy()
    count = min(max_segments, len(left))
    kept, kept_segments, kept_scores = np.empty(count, np.int64), np.empty((count, 2), 'f4'), np.empty(count, 'f4')
    for pick in range(count):
        best = left.argmax()
        if not left[best] >= min_score:
            count = pick
            break
        kept[pick], kept_segments[pick], kept_scores[pick] = best, segments[best], left[best]
        left[best] = -np.inf
        rivals = slice(*bounds[group[place[best]] :][:2])
        members = order[rivals]
        overlap = _overlap(*segments[best], starts[rivals], ends[rivals])
        left[members] = decay(left[members], overlap)
        if vote_iou > 0:
            voters = members[overlap >= vote_iou]
            total = scores[voters].sum()
            if total > 0:  # a segment without length overlaps nothing, not even itself
                kept_segments[pick] = scores[voters] @ segments[voters] / total
    return kept[:count], kept_segments[:count], kept_scores[:count]


def _overlap(start, end, starts, ends):
    shared = np.maximum(np.minimum(end, ends) - np.maximum(start, starts), 0)
    return shared / np.maximum((end - start) + (ends - starts) - shared, TINY)
