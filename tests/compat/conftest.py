import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

from ..regression import regression


@pytest.fixture
def make_runner(tmp_path):
    """A runner of a regression in four numbers, four iterations an epoch; each name may be used once."""
    yield lambda name, max_epochs, checkpoint=None, **kwargs: regression(
        tmp_path / name, max_epochs, checkpoint, **kwargs
    )
    # A runner leaves its scope and logger behind as the current ones.
    for manager in (DefaultScope, MessageHub, MMLogger, Visualizer):
        manager._instance_dict.clear()
