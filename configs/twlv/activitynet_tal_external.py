# ActivityNet-1.3 with an external classifier (paper 2.4, Table 10): class-agnostic ActionFormer; video-level scores
# of 200 classes provide the labels. Otherwise like activitynet_tal.py.
_base_ = './activitynet_tal.py'

model = dict(
    num_classes=1,
    external=dict(
        path='data/activitynet/cls_scores.json',
        top_k=2,
        score_norm='l1',  # for every video; see docs/localization.md
    ),
    test_cfg=dict(nms=dict(per_class=False)),
)
