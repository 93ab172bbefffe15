"""Searching for a sentence: in a folder of an encoder that was trained with text, and nowhere else."""

import numpy as np
import pytest

from twlv_mm.embeddings import Extractor, VideoFiles, extract_collection, find_videos
from twlv_mm.encoders import text_encoder
from twlv_mm.search import answer_page, answer_record, find_moments

from ..encoders.hf_folders import save
from ..encoders.test_hf_text import TEXTS, add_tokenizer


@pytest.fixture(scope='module')
def embedded_by_clip(videos, tmp_path_factory):
    """The SOURCE, and <out> with vectors of its own pooling and of another one."""
    root = tmp_path_factory.mktemp('text')
    save('clip', root / 'clip')
    add_tokenizer(root / 'clip', 'clip')
    source = f'hf:{root / "clip"}'
    for split, pooling in (('own', None), ('mean', 'mean')):
        extractor = Extractor(source, clip_seconds=2.0, num_frames=2, pooling=pooling)
        extract_collection(extractor, find_videos(videos), root, split, workers=0)
    return source, root / 'multi-clip'


def test_hits_of_a_text_are_those_of_its_vector(videos, embedded_by_clip):
    source, out = embedded_by_clip
    found = find_moments(None, out / 'own', text=TEXTS[0], top=2)
    np.testing.assert_allclose(found.query.vectors['forward'], text_encoder(source)(TEXTS[:1])[0], atol=1e-6)
    assert len(found.hits['forward']) == 2
    assert answer_record(found, out)['query']['name'] == TEXTS[0]
    page, failures = answer_page(found, VideoFiles(videos))
    assert not failures
    assert page.count('<video') == 2
    assert TEXTS[0] in page


def test_vectors_that_are_not_comparable_with_texts_are_refused(embedded, embedded_by_clip):
    _, out = embedded_by_clip
    with pytest.raises(ValueError, match=r"with pooling 'mean'; .* own pooling, 'class_token', of 20"):
        find_moments(None, out / 'mean', text=TEXTS[0])
    with pytest.raises(ValueError, match='twlv_small_synthetic has no text tower'):
        find_moments(None, embedded / 'multi-clip/npy', text=TEXTS[0])
    with pytest.raises(ValueError, match='the text to search for is empty'):
        find_moments(None, out / 'own', text=' ')
    with pytest.raises(ValueError, match='a text has no frames'):
        find_moments(None, out / 'own', text=TEXTS[0], reverse=True)


def test_text_of_other_weights_is_refused(tmp_path, videos):
    save('clip', tmp_path / 'clip')
    add_tokenizer(tmp_path / 'clip', 'clip')
    source = f'hf:{tmp_path / "clip"}'
    extractor = Extractor(source, sampling='uniform', num_frames=1)
    extract_collection(extractor, find_videos(videos / 'one.mp4'), tmp_path, 'all', workers=0)
    path = tmp_path / 'clip/model.safetensors'
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match='was made with other weights'):
        find_moments(None, tmp_path / 'uniform/all', text=TEXTS[0])
