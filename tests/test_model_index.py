from pathlib import Path

import mmengine
import pytest

ROOT = Path(__file__).resolve().parents[1]
IMPORTED = mmengine.load(ROOT / 'model-index.yml')['Import']


def test_index_imports_every_metafile():
    assert sorted(IMPORTED) == sorted(
        path.relative_to(ROOT).as_posix() for path in ROOT.glob('configs/**/metafile.yml')
    )


def test_every_model_names_a_config_and_a_collection_that_exist():
    models, collections = [], set()
    for metafile in (mmengine.load(ROOT / path) for path in IMPORTED):
        models += metafile['Models']
        collections |= {collection['Name'] for collection in metafile.get('Collections', [])}
    for model in models:
        assert (ROOT / model['Config']).is_file(), model
        assert model['In Collection'] in collections, model
    assert len({model['Name'] for model in models}) == len(models)


@pytest.mark.parametrize('path', IMPORTED)
def test_every_config_of_a_family_is_in_its_metafile(path):
    named = [model['Config'] for model in mmengine.load(ROOT / path)['Models']]
    assert sorted(named) == sorted(config.relative_to(ROOT).as_posix() for config in (ROOT / path).parent.glob('*.py'))
