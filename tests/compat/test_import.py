import subprocess
import sys

import twlv_mm

SCRIPT = """
import sys
import twlv_mm
heavy = [name for name in ('mmaction', 'mmdet', 'decord') if name in sys.modules]
assert not heavy, f'import twlv_mm imported {heavy}'
assert 'torch' in sys.modules, 'decord may hang if it is imported before torch'
import mmaction.models, mmaction.datasets, mmaction.evaluation, mmaction.visualization, mmdet.models, mmcv.ops
"""


def test_import_is_light_and_then_every_openmmlab_package_imports():
    run = subprocess.run([sys.executable, '-c', SCRIPT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_applying_twice_changes_nothing():
    from mmaction.models.heads.tsn_head import TSNHead
    from mmaction.visualization.video_backend import LocalVisBackend
    from mmengine.config import Config
    from mmengine.optim.scheduler.param_scheduler import _ParamScheduler

    def patched():
        return (
            TSNHead.forward,
            LocalVisBackend.add_video,
            Config._get_cfg_path,
            _ParamScheduler.load_state_dict,
            sys.modules.get('mmaction.models.localizers.drn'),
            sys.modules.get('mmcv._ext'),
        )

    before = patched()
    twlv_mm.compat.apply()
    assert patched() == before
