import numpy as np
import pytest
import torch


def test_average_recall_of_proposals():
    from mmaction.evaluation.functional import average_recall_at_avg_proposals

    truth = {'video': np.array([[0.0, 10.0], [20.0, 30.0]])}
    proposals = {'video': np.array([[0.0, 10.0, 0.9], [20.0, 30.0, 0.8]])}
    recall, *_, area = average_recall_at_avg_proposals(truth, proposals, 2, max_avg_proposals=2)
    assert recall[:, -1].min() == 1.0
    assert 0 < area <= 100


def test_class_with_detections_and_no_ground_truth_counts_as_nan():
    from mmaction.evaluation.functional.ava_evaluation import metrics

    assert np.isnan(metrics.compute_average_precision(None, None))


def test_ava_evaluation_with_a_class_that_has_no_ground_truth(tmp_path, monkeypatch):
    from mmaction.evaluation.metrics import AVAMetric

    (tmp_path / 'truth.csv').write_text('vid,0902,0.1,0.1,0.5,0.5,1,0\n')
    (tmp_path / 'labels.pbtxt').write_text('item {\n  name: "bend"\n  id: 1\n}\nitem {\n  name: "crouch"\n  id: 2\n}\n')
    (tmp_path / 'excluded.csv').write_text('')
    monkeypatch.chdir(tmp_path)  # the metric writes its CSV into the current folder
    metric = AVAMetric(
        ann_file=str(tmp_path / 'truth.csv'),
        exclude_file=str(tmp_path / 'excluded.csv'),
        label_file=str(tmp_path / 'labels.pbtxt'),
        num_classes=3,
    )
    metric.dataset_meta = {}
    prediction = {'bboxes': torch.tensor([[0.1, 0.1, 0.5, 0.5]]), 'scores': torch.tensor([[0.0, 0.9, 0.8]])}
    metric.process({}, [{'video_id': 'vid', 'timestamp': 902, 'pred_instances': prediction}])
    scores = metric.evaluate(1)

    assert scores['mAP/overall'] == pytest.approx(1.0)
    assert not list(tmp_path.glob('AVA_*_result.csv'))


def test_pose_crop_of_a_frame_sequence():
    from mmaction.datasets.transforms import PoseCompact

    keypoints = np.array([[[[20.0, 30.0], [40.0, 60.0]]]], dtype=np.float32)
    results = PoseCompact(padding=0.0, threshold=1, hw_ratio=None).transform(
        {'keypoint': keypoints, 'img_shape': (100, 100)}
    )
    assert results['img_shape'] == (30, 20)


def test_recall_of_video_retrieval_counts_matches():
    assert np.in1d([[1, 2], [3, 4]], [2, 3]).tolist() == [False, True, True, False]
