"""The entry to mteb, an optional dependency that mteb_encoder.py imports."""

from .extractor import Extractor


def mteb_model(source, weights=None, **options):
    """Make an encoder a model for mteb: ``mteb.evaluate(model, mteb.get_benchmark('MVEB(video)'))``.

    Args:
        source (str): SOURCE, as for :func:`twlv_mm.get_model`.
        weights (str, optional): Its checkpoint.
        **options: As for :class:`twlv_mm.embeddings.Extractor`.

    Returns:
        VideoOnlyModel: for video-only tasks.
    """
    try:
        from .mteb_encoder import VideoOnlyModel
    except ImportError as error:
        raise ImportError(f"this needs mteb ({error}): pip install 'twlv-i[mteb]'") from error
    return VideoOnlyModel(Extractor(source, weights, **options))
