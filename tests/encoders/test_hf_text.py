"""Texts beside pictures: the vectors and cosines of transformers' own models, from the same folder."""

import json

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import twlv_mm
from twlv_mm.encoders import text_encoder

from .hf_folders import save

KINDS = ['clip', 'siglip', 'siglip2', 'x_clip']
WORDS = ['<s>', '</s>', '<unk>', 'a', 'person', 'opens', 'the', 'door', 'dog', 'runs', 'left', 'right']
TEXTS = ['a person opens the door', 'a dog runs left']


def add_tokenizer(folder, kind):
    """A tokenizer of few words, which ends texts with a token as CLIP's towers want it; of SigLIP 2, one of letters."""
    if kind == 'siglip2':
        letters = ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>', '\u2581', *'abcdefghijklmnopqrstuvwxyz']
        made = transformers.Siglip2Tokenizer({letter: place for place, letter in enumerate(letters)}, [])
        made.save_pretrained(folder)
        return made
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token='<unk>'))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing('<s> $A </s>', special_tokens=[('<s>', 0), ('</s>', 1)])
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token='<s>', eos_token='</s>', pad_token='<s>', unk_token='<unk>'
    )
    made.save_pretrained(folder)
    if kind == 'siglip':  # as its published folders say
        path = folder / 'tokenizer_config.json'
        path.write_text(json.dumps(dict(json.loads(path.read_text()), model_input_names=['input_ids'])))
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope='module', params=KINDS)
def folder(request, tmp_path_factory):
    """Kind, folder, transformers' model and tokenizer."""
    path = tmp_path_factory.mktemp('models') / request.param
    model = save(request.param, path)
    return request.param, path, model, add_tokenizer(path, request.param)


def their_texts(kind, model, tokenizer):
    options = dict(padding='max_length', max_length=64) if 'siglip' in kind else dict(padding=True)
    tokens = tokenizer(TEXTS, return_tensors='pt', truncation=True, **options)
    with torch.inference_mode():
        found = model.get_text_features(**{name: tokens[name] for name in tokenizer.model_input_names})
    return getattr(found, 'pooler_output', found)


def test_texts_have_the_vectors_of_transformers(folder):
    kind, path, model, tokenizer = folder
    encode = text_encoder(f'hf:{path}')
    vectors = encode(TEXTS)
    torch.testing.assert_close(vectors, their_texts(kind, model, tokenizer), rtol=1e-5, atol=1e-5)
    assert vectors.shape[1] == encode.dims
    assert not torch.allclose(vectors[0], vectors[1])
    encoder = twlv_mm.get_model(f'hf:{path}')
    assert encode.weights_sha256 == encoder.weights_sha256
    assert encode.logit_scale == pytest.approx(float(model.logit_scale.exp()))


def test_cosines_of_texts_and_clips_are_those_of_transformers(folder):
    kind, path, model, tokenizer = folder
    encoder = twlv_mm.get_model(f'hf:{path}', frozen=True)
    frames = 4 if kind == 'x_clip' else 1
    clips = torch.randn(3, 3, frames, 32, 32)
    texts = their_texts(kind, model, tokenizer)
    with torch.inference_mode():
        if kind == 'x_clip':
            found = model.get_video_features(clips.transpose(1, 2))
        elif kind == 'siglip2':
            patches = clips[:, :, 0].unflatten(3, (4, 8)).unflatten(2, (4, 8))
            patches = patches.permute(0, 2, 4, 3, 5, 1).reshape(3, 16, -1)
            found = model.get_image_features(patches, torch.ones(3, 16), torch.tensor([[4, 4]] * 3))
        else:
            found = model.get_image_features(clips[:, :, 0])
    theirs = torch.cosine_similarity(getattr(found, 'pooler_output', found)[:, None], texts, dim=-1)
    ours = torch.cosine_similarity(encoder.embed(clips)[:, None], text_encoder(f'hf:{path}')(TEXTS), dim=-1)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('kind', ['dinov2', 'clip_vision', 'videomae'])
def test_models_without_a_text_tower_are_refused(tmp_path, kind):
    save(kind, tmp_path)
    with pytest.raises(ValueError, match='not comparable with texts; there are clip, siglip, siglip2, xclip'):
        text_encoder(f'hf:{tmp_path}')


def test_encoders_of_other_sources_are_refused():
    with pytest.raises(ValueError, match='the encoder twlv_base has no text tower: .* hf: SOURCE'):
        text_encoder('twlv_base')


def test_folder_without_tokenizer_or_text_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    save('clip', tmp_path)
    with pytest.raises(ValueError, match='has no tokenizer: get tokenizer.json'):
        text_encoder(f'hf:{tmp_path}')
    add_tokenizer(tmp_path, 'clip')
    state = load_file(tmp_path / 'model.safetensors')
    vision = {key: value for key, value in state.items() if not key.startswith('text_model.')}
    save_file(vision, tmp_path / 'model.safetensors', metadata=dict(format='pt'))
    with pytest.raises(ValueError, match=r'(?s)does not hold the text tower.*Missing keys: text_model\.'):
        text_encoder(f'hf:{tmp_path}')


def test_tokenizer_of_another_model_is_refused(tmp_path):
    save('clip', tmp_path)
    tokenizer = add_tokenizer(tmp_path, 'clip')
    tokenizer.add_tokens([f'word{number}' for number in range(40)])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match='its tokenizer has 52 tokens, its model 32'):
        text_encoder(f'hf:{tmp_path}')


def test_text_is_case_blind_where_the_model_was_trained_so(tmp_path):
    save('siglip2', tmp_path)
    add_tokenizer(tmp_path, 'siglip2')
    encode = text_encoder(f'hf:{tmp_path}')
    np.testing.assert_array_equal(encode(['A Person']), encode(['a person']))
    assert not np.allclose(encode(['a person']), encode(['a dog']))
