"""The base of the encoders of the table of architectures."""

from .architectures import get_architecture
from .encoder import Encoder
from .published_weights import official_weights
from .weight_loading import load_weights


class TableEncoder(Encoder):
    """Base of the encoders that are rows of the table.

    Args:
        arch (str): Name of a row of the table, see :func:`twlv_mm.list_models`.
        **overrides: Numbers of the row to change.

    Attributes:
        arch (Architecture): The row, with overrides.
        arch_name (str): Its name.
    """

    kind = None  # class of the rows that a subclass builds

    def __init__(self, arch, **overrides):
        self.arch_name = arch
        self.arch = get_architecture(arch, **overrides)
        if not isinstance(self.arch, self.kind):
            raise ValueError(
                f'{arch} is not built by {type(self).__name__}: in configs, use the type VideoViT for vision '
                'transformers, SqueezeTime for squeezetime_r50'
            )
        super().__init__(self.arch.spec(arch))

    def load(self, path):
        """Load weights of this project's or an official layout; 'official' are those that come with this package."""
        return load_weights(self, official_weights(self.arch_name) if path == 'official' else path)
