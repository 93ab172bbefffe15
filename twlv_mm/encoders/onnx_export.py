"""Export an encoder, or a recognizer around one, to ONNX: pixels in, a vector or scores out."""

import warnings

import torch
from packaging.version import Version
from torch import nn

INSTALL = "pip install 'twlv-i[onnx]'"


class FromPixels(nn.Module):
    """Normalises pixels, encodes them, and classifies the features if there is a head."""

    def __init__(self, encoder, head=None):
        super().__init__()
        self.encoder, self.head = encoder, head
        for name in ('mean', 'std'):
            self.register_buffer(name, torch.tensor(getattr(encoder.spec, name)).view(1, 3, 1, 1, 1))

    def forward(self, video):
        """(N, 3, T, H, W) RGB from 0 to 255 -> (N, D) vectors, or (N, classes) scores before softmax."""
        video = (video - self.mean) / self.std
        return self.encoder.embed(video) if self.head is None else self.head(self.encoder(video))


def export_onnx(encoder, path, head=None, size=None):
    """Write an ONNX file, and check it against PyTorch in ONNX Runtime.

    Its input ``video`` is (N, 3, T, H, W) float32, RGB from 0 to 255, of any N; its output is ``embedding`` (N, D), or
    with a head ``scores`` (N, classes) before softmax.

    Args:
        encoder (Encoder): An encoder, not fused.
        path (str): The file to write.
        head (nn.Module, optional): An mmaction2 head on feature maps.
        size (tuple[int, int], optional): Height and width of the input; the encoder's own if None.

    Returns:
        float: the largest difference between PyTorch's and ONNX Runtime's outputs for two random clips, relative to
        PyTorch's largest output.
    """
    if Version(torch.__version__) < Version('2.7'):
        raise ImportError(
            f"torch {torch.__version__}'s exporter fails on SqueezeTime: install a newer torch (2.13 is tested)"
        )
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(f'an export needs {error.name}, which is not installed: {INSTALL}') from error
    model = FromPixels(encoder, head).eval()
    size = size or (encoder.spec.img_size,) * 2
    video = 255 * torch.rand(2, 3, encoder.spec.num_frames, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of the exporter, about itself
        expected = model(video)
        torch.onnx.export(
            model,
            (video,),
            path,
            input_names=['video'],
            output_names=['embedding' if head is None else 'scores'],
            dynamic_shapes=({0: torch.export.Dim('clips', min=1)},),
            external_data=False,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    (found,) = session.run(None, {'video': video.numpy()})
    return ((torch.from_numpy(found) - expected).abs().max() / expected.abs().max()).item()
