"""mteb's own tasks on generated videos, with an encoder that tells their colours apart."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

import twlv_mm
from twlv_mm.video import write_video

pytestmark = pytest.mark.skipif(not find_spec('mteb'), reason="mteb is not installed: pip install -e '.[mteb]'")

ENCODER = """
import twlv_mm


class MeanColour(twlv_mm.Encoder):
    spec = twlv_mm.EncoderSpec(name='mean_colour', num_frames=4, img_size=16, grid=(4, 1, 1), embed_dims=3, num_heads=1)

    def encode(self, video):
        return video.mean((3, 4)).transpose(1, 2), (video.shape[2], 1, 1)
"""
COLOURS = {0: (220, 30, 30), 1: (30, 220, 30), 2: (30, 30, 220)}


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Paths by colour: four videos of each of three, in noise."""
    folder, rng = tmp_path_factory.mktemp('videos'), np.random.default_rng(0)
    found = {}
    for label, colour in COLOURS.items():
        for number in range(4):
            path = folder / f'{label}_{number}.mp4'
            frames = np.clip(colour + rng.normal(0, 20, (8, 32, 32, 3)), 0, 255).astype(np.uint8)
            write_video(path, frames, fps=8)
            found.setdefault(label, []).append(str(path))
    return found


@pytest.fixture
def model(tmp_path, monkeypatch):
    (tmp_path / 'their_colours.py').write_text(ENCODER)
    monkeypatch.syspath_prepend(tmp_path)
    yield twlv_mm.mteb_model('their_colours:MeanColour', device='cpu')
    del sys.modules['their_colours']


def task(kind, name, columns, score, **settings):
    """A task of mteb's own kind on data given here."""
    from datasets import Dataset, DatasetDict, Video
    from mteb.abstasks.classification import AbsTaskClassification
    from mteb.abstasks.clustering import AbsTaskClustering
    from mteb.abstasks.pair_classification import AbsTaskPairClassification
    from mteb.abstasks.task_metadata import TaskMetadata

    base = dict(
        VideoClassification=AbsTaskClassification,
        VideoClustering=AbsTaskClustering,
        VideoPairClassification=AbsTaskPairClassification,
    )[kind]
    data = DatasetDict({split: Dataset.from_dict(content) for split, content in columns.items()})
    for column in data['test'].column_names:
        if column.startswith('video'):
            data = data.cast_column(column, Video())

    def load_data(self, **kwargs):
        self.dataset, self.data_loaded = data, True

    metadata = TaskMetadata(
        name=name,
        type=kind,
        description='Colours.',
        dataset=dict(path='here', revision='1'),
        reference=None,
        category='v2v' if 'Pair' in kind else 'v2c',
        modalities=['video'],
        eval_splits=['test'],
        eval_langs=['zxx-Zxxx'],
        main_score=score,
        date=None,
        domains=None,
        task_subtypes=None,
        license=None,
        annotations_creators=None,
        dialect=None,
        sample_creation=None,
        bibtex_citation=None,
    )
    return type(name, (base,), dict(settings, metadata=metadata, load_data=load_data))()


def tasks(videos):
    first, second = ({label: paths[half] for label, paths in videos.items()} for half in (slice(2), slice(2, 4)))

    def columns(part, name):
        return {
            'video': [path for paths in part.values() for path in paths],
            name: [label for label, paths in part.items() for _ in paths],
        }

    pairs = [(a, b, int(one == other)) for one, (a, _) in first.items() for other, (b, _) in second.items()]
    return [
        task(
            'VideoClassification',
            'Colours',
            dict(train=columns(first, 'label'), test=columns(second, 'label')),
            'accuracy',
            input_column_name='video',
            samples_per_label=2,
            n_experiments=1,
        ),
        task(
            'VideoClustering',
            'ColourClusters',
            dict(test=columns(videos, 'labels')),
            'v_measure',
            input_column_name='video',
            max_document_to_embed=12,
            max_fraction_of_documents_to_embed=None,
            n_clusters=1,
        ),
        task(
            'VideoPairClassification',
            'ColourPairs',
            dict(test=dict(zip(('video1', 'video2', 'label'), map(list, zip(*pairs, strict=True)), strict=True))),
            'max_ap',
            input1_column_name='video1',
            input2_column_name='video2',
            label_column_name='label',
        ),
    ]


def test_tasks_of_every_kind_are_solved(model, videos):
    import mteb

    result = mteb.evaluate(model, tasks(videos), cache=None, show_progress_bar=False)
    scores = {found.task_name: found.get_score() for found in result.task_results}
    assert scores == pytest.approx(dict(Colours=1, ColourClusters=1, ColourPairs=1))


def test_vectors_are_those_of_embed_and_results_are_kept_by_weights_and_sampling(model, videos):
    from datasets import Dataset, Video
    from torch.utils.data import DataLoader

    path = videos[0][0]
    with open(path, 'rb') as file:
        both = [dict(path=path, bytes=None), dict(path=None, bytes=file.read())]
    rows = Dataset.from_dict(dict(video=both)).cast_column('video', Video(decode=False))
    vectors = model.encode(DataLoader(rows), show_progress_bar=False)
    expected = twlv_mm.embed(path, model=model.model, device='cpu')[-1].vector
    assert np.array_equal(vectors, [expected, expected])

    meta = model.mteb_model_meta
    assert (meta.name, meta.revision, meta.embed_dim) == ('twlv_mm/mean_colour', 'random', 3)
    other = twlv_mm.mteb_model('their_colours:MeanColour', sampling='multi-clip', clip_seconds=0.5, device='cpu')
    assert other.mteb_model_meta.experiment_kwargs != meta.experiment_kwargs


def test_unreadable_video_is_named(model, tmp_path):
    from datasets import Dataset, Video
    from torch.utils.data import DataLoader

    (tmp_path / 'x.mp4').write_bytes(b'nothing')
    rows = Dataset.from_dict(dict(video=[str(tmp_path / 'x.mp4')])).cast_column('video', Video(decode=False))
    with pytest.raises(Exception, match='video 0 of the dataset: .*x.mp4'):
        model.encode(DataLoader(rows), show_progress_bar=False)
