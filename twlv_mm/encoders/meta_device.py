"""Build and run other libraries' models on torch's meta device, to learn the sizes of their outputs."""

import torch
from torch.overrides import TorchFunctionMode


class EmptyWeights(TorchFunctionMode):
    """Creates parameters on the meta device: no memory, no random initialisation.

    Unlike under ``torch.device('meta')``, values that models compute from, such as a ``linspace`` of rates, stay on the
    CPU. Move the model to the meta device as a whole before running it.
    """

    DEVICES = {
        **dict.fromkeys((torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full), 'meta'),
        # Even if the default device is meta.
        **dict.fromkeys((torch.arange, torch.linspace, torch.tensor, torch.eye), 'cpu'),
    }

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in self.DEVICES:
            kwargs.setdefault('device', self.DEVICES[function])
        return function(*args, **kwargs)


def build(make):
    """Call ``make`` to build a module; entirely on the meta device if that is torch's default."""
    if torch.empty(0).device.type != 'meta':
        return make()
    with EmptyWeights():
        return make().to('meta')


def run(model, source, num_frames, img_size):
    """Encode one clip on the meta device, to learn the sizes of tokens, grid and vector.

    Args:
        model (Encoder): Built within :class:`EmptyWeights`; it is moved to the meta device.
        source (str): For the error message.
        num_frames (int): Frames of the clip.
        img_size (int): Its side in pixels.

    Returns:
        tuple: tokens (1, L, D) and grid, as of :meth:`twlv_mm.Encoder.encode`, and the vector (1, D'), which requires a
        gradient if its pooling has weights.
    """
    model.to('meta').eval()
    try:
        with torch.no_grad():
            tokens, grid = model.encode(torch.empty(1, 3, num_frames, img_size, img_size, device='meta'))
        with torch.enable_grad():
            return tokens, grid, model.own_pooling(tokens, grid)
    except Exception as error:  # another library's network can raise anything
        raise ValueError(
            f'{source} cannot encode a clip of {num_frames} frames of {img_size} x {img_size} pixels: {error}'
        ) from error
