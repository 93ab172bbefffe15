"""Extraction on a local Ray cluster gives what this process gives."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

import twlv_mm
from twlv_mm.embeddings import EmbeddingFolder, Extractor, extract_collection, find_videos, read_failures
from twlv_mm.synthetic import render_clip, write_video

pytestmark = pytest.mark.skipif(not find_spec('ray'), reason='Ray is not installed')


def test_ray_gives_the_vectors_and_failures_of_one_process(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'videos').mkdir()
    for index in range(5):
        frames = render_clip(rng, 'train', num_frames=8 + 4 * index)[0]
        write_video(str(tmp_path / f'videos/{index}.mp4'), frames, fps=8)
    (tmp_path / 'videos/broken.mp4').write_text('not a video')
    torch.manual_seed(0)
    encoder = twlv_mm.get_model('twlv_small_synthetic', frozen=True, allow_random=True)
    extractor = Extractor(encoder, sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5)
    videos = find_videos(tmp_path / 'videos')
    summaries, folders = {}, {}
    for engine in ('local', 'ray'):
        options = dict(engine=engine, formats=['parquet'], views=['forward', 'reversed'], workers=1)
        summaries[engine] = extract_collection(extractor, videos, tmp_path / engine, **options)
        folders[engine] = [
            EmbeddingFolder(tmp_path / engine / name / 'all') for name in ('multi-clip', 'multi-clip-reversed')
        ]
    assert summaries['ray'] == summaries['local']
    assert summaries['ray'].embedded == 5
    assert [failure['video_id'] for failure in read_failures(tmp_path / 'ray/multi-clip/all')] == ['broken']
    for local, ray in zip(folders['local'], folders['ray'], strict=True):
        assert ray.video_ids == local.video_ids
        for video_id in local.video_ids:
            np.testing.assert_allclose(ray.clips(video_id), local.clips(video_id), atol=1e-6)
            np.testing.assert_array_equal(ray.times(video_id), local.times(video_id))
