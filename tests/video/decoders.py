"""The decoders that this machine can use; tests of the others are skipped and say why."""

import pytest

from twlv_mm.video.reader import READERS, reader_class


def _param(decoder):
    try:
        reader_class(decoder)
    except ValueError as error:
        return pytest.param(decoder, marks=pytest.mark.skip(reason=str(error)))
    return pytest.param(decoder)


DECODERS = [_param(decoder) for decoder in READERS]
