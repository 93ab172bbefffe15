"""An image model as encoder of clips: frames do not mix, and their vectors are averaged."""

import pytest
import torch

import twlv_mm
from twlv_mm.encoders.per_frame import PerFrameEncoder, join_frames, split_frames


class Patches(PerFrameEncoder):
    """One class token, patches of 8 pixels, and a projection of the class token."""

    spec = twlv_mm.EncoderSpec(
        name='patches',
        num_frames=4,
        img_size=16,
        grid=(4, 2, 2),
        embed_dims=6,
        embedding_dims=5,
        num_heads=2,
        class_token=True,
        per_frame=True,
    )

    def __init__(self):
        super().__init__()
        self.conv, self.head = torch.nn.Conv2d(3, 6, 8, 8), torch.nn.Linear(6, 5)

    def encode_frames(self, frames):
        x = self.conv(frames)
        tokens = x.flatten(2).transpose(1, 2)
        return torch.cat([tokens.amax(1, keepdim=True), tokens], dim=1), tuple(x.shape[2:])

    def pool_frames(self, tokens, size):
        return self.head(tokens[:, 0]).tanh()


def test_frames_are_encoded_alone_and_averaged():
    model, video = Patches().eval(), torch.randn(2, 3, 3, 16, 24)
    with torch.no_grad():
        feature_map, tokens = model(video), model.tokens(video)
        assert feature_map.shape == (2, 6, 3, 2, 3)
        assert tokens.shape == (2, 3 + 3 * 6, 6)
        vectors = []
        for frame in video.unbind(2):
            alone, size = model.encode_frames(frame)
            vectors.append(model.pool_frames(alone, size))
        for time, frame in enumerate(video.unbind(2)):
            alone, _ = model.encode_frames(frame)
            torch.testing.assert_close(feature_map[:, :, time].flatten(2).transpose(1, 2), alone[:, 1:])
            torch.testing.assert_close(tokens[:, time], alone[:, 0])
        torch.testing.assert_close(model.embed(video), torch.stack(vectors).mean(0))


@pytest.mark.parametrize('class_tokens', [0, 1, 2])
def test_split_undoes_join(class_tokens):
    tokens = torch.randn(2 * 3, class_tokens + 4, 5)
    joined = join_frames(tokens, 3, 4)
    assert torch.equal(joined[1, 3 * class_tokens + 4 + 1], tokens[4, class_tokens + 1])
    assert torch.equal(split_frames(joined, (3, 2, 2)), tokens)
