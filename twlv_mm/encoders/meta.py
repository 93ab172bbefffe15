"""What others' models say of themselves without being there: built and run on torch's meta device."""

import torch
from torch.overrides import TorchFunctionMode


class EmptyWeights(TorchFunctionMode):
    """Within it parameters are made on the meta device: no memory, no random numbers.

    Unlike with ``torch.device('meta')``, what models compute their settings with, rates of a ``linspace`` say, stays on
    the CPU. A model made so is to be moved to the meta device as a whole before it is run.
    """

    DEVICES = {
        **dict.fromkeys((torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full), 'meta'),
        # Also where the default device is meta.
        **dict.fromkeys((torch.arange, torch.linspace, torch.tensor, torch.eye), 'cpu'),
    }

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in self.DEVICES:
            kwargs.setdefault('device', self.DEVICES[function])
        return function(*args, **kwargs)


def build(make):
    """Build a module of others; on the meta device as a whole, where that is torch's default.

    Args:
        make (Callable): Makes it.

    Returns:
        nn.Module: the module.
    """
    if torch.empty(0).device.type != 'meta':
        return make()
    with EmptyWeights():
        return make().to('meta')


def run(model, source, num_frames, img_size):
    """What an encoder gives for one clip.

    Args:
        model (Encoder): Made within :class:`EmptyWeights`; it is moved to the meta device.
        source (str): For the message.
        num_frames (int): Frames of the clip.
        img_size (int): Its side, pixels.

    Returns:
        tuple[Tensor, tuple[int, int, int] | None, Tensor]: tokens (1, L, D) and their grid, as of
        :meth:`twlv_mm.Encoder.encode`, and the vector (1, D'); without content.

    Raises:
        ValueError: if it cannot encode such a clip.
    """
    model.to('meta').eval()
    try:
        with torch.no_grad():
            tokens, grid = model.encode(torch.empty(1, 3, num_frames, img_size, img_size, device='meta'))
            return tokens, grid, model.own_pooling(tokens, grid)
    except Exception as error:  # the network is of others and may fail in any way
        raise ValueError(
            f'{source} cannot encode a clip of {num_frames} frames of {img_size} x {img_size} pixels: {error}'
        ) from error
