"""Pictures that appear whole or not at all."""

from pathlib import Path

from .files import writing


def write_figure(path, figure, **kwargs):
    """Write a figure as :func:`writing` does.

    Args:
        path (str | Path): The file; its ending says the format.
        figure (matplotlib.figure.Figure): What to write.
        kwargs: As for ``savefig``.
    """
    with writing(path) as file:
        figure.savefig(file, format=Path(path).suffix[1:], **kwargs)
