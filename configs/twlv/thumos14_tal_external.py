# THUMOS14 with an external classifier (paper 2.4, Table 9): class-agnostic ActionFormer; video-level scores of
# 20 classes provide the labels. Otherwise like thumos14_tal.py.
_base_ = './thumos14_tal.py'

model = dict(
    num_classes=1,
    external=dict(
        path='data/thumos14/thumos14_cls_scores.json',
        top_k=2,
        # For every video. 'published' reproduces TWLV-I's code, which applies a softmax to some videos only.
        score_norm='l1',
    ),
    test_cfg=dict(nms=dict(per_class=False)),
)
