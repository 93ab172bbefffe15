"""Appearance and motion accuracy of a frozen encoder by three probes, each feature computed once."""

import torch
import torch.nn.functional as F

from twlv_mm.recognition import AttentiveProbe, knn_votes
from twlv_mm.synthetic.trimmed import LABELS

from .trimmed_checks import linear_probe

PROBES = ('linear', 'attentive', 'knn')


def frozen_scores(encoder, clips, seed=0, epochs=3, neighbours=20):
    """Top-1 accuracies on held-out clips: linear probe and kNN on the pooled vector, attentive probe on the tokens.

    ``clips`` holds what :func:`~twlv_mm.evaluation.trimmed_checks.read_clips` returns for 'train' and 'test'; ``seed``
    and ``epochs`` are those of the attentive probe.

    Returns:
        dict[str, dict[str, float]]: 'appearance' and 'motion' -> a name of :data:`PROBES` -> percent.
    """
    features = {split: encode_clips(encoder, frames) for split, (frames, _) in clips.items()}
    (tokens, pooled), (test_tokens, test_pooled) = features['train'], features['test']
    scores = {}
    for column, label in enumerate(LABELS['both']):
        labels, truth = (torch.from_numpy(clips[split][1][:, column]) for split in ('train', 'test'))
        predicted = dict(
            linear=torch.from_numpy(linear_probe(pooled, labels.numpy(), test_pooled)),
            attentive=attentive_probe(tokens, labels, test_tokens, encoder.spec.num_heads, seed, epochs),
            knn=knn_votes(test_pooled, pooled.numpy(), labels, 8, neighbours),
        )
        scores[label] = {probe: 100 * float((predicted[probe].argmax(1) == truth).float().mean()) for probe in PROBES}
    return scores


def encode_clips(encoder, frames, batch_size=50):
    """Tokens (N, L, D) and pooled vectors (N, D') of (N, T, H, W, 3) uint8 RGB clips."""
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (encoder.spec.mean, encoder.spec.std))
    encoder.eval()
    tokens, pooled = [], []
    with torch.inference_mode():
        for batch in torch.from_numpy(frames).split(batch_size):
            video = (batch.permute(0, 4, 1, 2, 3).float() - mean) / std
            tokens.append(encoder.tokens(video))
            pooled.append(encoder.pool(tokens[-1], encoder.grid(video)))
    return torch.cat(tokens).clone(), torch.cat(pooled).clone()


def attentive_probe(tokens, labels, test_tokens, num_heads, seed=0, epochs=3, batch_size=32):
    """(M, 8) scores of an attentive probe that is trained as in configs/synthetic/*_attentive.py, on tokens in memory.

    Args:
        tokens (Tensor): (N, L, D).
        labels (Tensor): (N,) int64, eight classes.
        test_tokens (Tensor): (M, L, D).
        num_heads (int): Attention heads.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        probe = AttentiveProbe(tokens.shape[-1], 8, num_heads)
        optimizer = torch.optim.AdamW(probe.parameters(), lr=1e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(tokens) // batch_size))
        for _ in range(epochs):
            for places in torch.randperm(len(tokens)).split(batch_size):
                optimizer.zero_grad()
                F.cross_entropy(probe(tokens[places]), labels[places]).backward()
                torch.nn.utils.clip_grad_norm_(probe.parameters(), 1.0)
                optimizer.step()
                schedule.step()
    with torch.inference_mode():
        return torch.cat([probe(part) for part in test_tokens.split(100)])
