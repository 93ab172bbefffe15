import sys

import twlv_mm

SCRIPT = """
import sys
import twlv_mm
heavy = {'mmaction.models', 'mmaction.datasets', 'mmdet', 'decord', 'transformers'} & sys.modules.keys()
assert not heavy, f'import twlv_mm imported {heavy}'
assert 'torch' in sys.modules, 'decord may hang if it is imported before torch'
import mmaction.models, mmaction.datasets, mmaction.evaluation, mmaction.visualization, mmdet.models, mmcv.ops
"""


def test_import_is_light_and_then_every_openmmlab_package_imports(fresh):
    run = fresh.run(SCRIPT)
    assert run.returncode == 0, run.stderr


def test_applying_twice_changes_nothing():
    from mmaction.datasets.transforms import ColorJitter
    from mmaction.models.heads import BaseHead, TSNHead
    from mmaction.visualization.video_backend import LocalVisBackend
    from mmengine.config import Config
    from mmengine.fileio.handlers import PickleHandler
    from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
    from mmengine.registry import Registry
    from mmengine.runner import CheckpointLoader, Runner

    def patched():
        return (
            ColorJitter.adjust_hue,
            BaseHead.loss_by_feat,
            TSNHead.forward,
            LocalVisBackend.add_video,
            Config._get_cfg_path,
            PickleHandler.load_from_fileobj,
            _ParamScheduler.load_state_dict,
            Registry.get,
            CheckpointLoader._schemes[''],
            Runner.load_checkpoint,
            sys.modules.get('mmaction.models.localizers.drn'),
            sys.modules.get('mmcv._ext'),
        )

    before = patched()
    twlv_mm.compat.apply()
    assert patched() == before
