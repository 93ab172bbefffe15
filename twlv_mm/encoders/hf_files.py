"""The files of a model in Hugging Face's layout: a folder, or a repository of the hub; json, weights in one or many."""

import hashlib
import os
import re
from pathlib import Path

from twlv_mm.records import read_json

MAX_JSON = 1 << 24
CONFIGS = ('config.json', 'preprocessor_config.json', 'video_preprocessor_config.json', 'processor_config.json')
TOKENIZERS = ('tokenizer*', 'vocab*', 'merges.txt', 'special_tokens_map.json', 'added_tokens.json', 'spiece.model')
# In the order of preference. Pickles are read with weights_only=True alone.
SINGLE = (
    *('model.safetensors', 'pytorch_model.bin'),
    *('open_clip_model.safetensors', 'open_clip_pytorch_model.bin'),
)
INDEX = '.index.json'
REPOSITORY = re.compile(r'[\w.-]+/[\w.-]+', re.ASCII)


def model_folder(name, weights=False, tokenizer=False):
    """Find the folder of a model, downloading it if need be.

    Args:
        name (str): A folder, or a repository of the hub, 'facebook/vjepa2-vitl-fpc64-256'. What has been downloaded
            once is taken from the hub's cache, without asking for a newer version.
        weights (bool): Whether its weights are needed.
        tokenizer (bool): Whether its tokenizer's files are needed.

    Returns:
        Path: the folder.

    Raises:
        ValueError: if there is no such folder, and no such repository can be reached.
        ImportError: if a repository is named and huggingface_hub is not installed.
    """
    if Path(name).is_dir():
        return Path(name)
    if not REPOSITORY.fullmatch(name):
        raise ValueError(f'there is no folder {name}, and a repository of the hub is named OWNER/NAME')
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise ImportError(
            f"{name} is no folder, and its download needs {error.name}: pip install 'twlv-i[hf]'"
        ) from None

    configs = (*CONFIGS, *TOKENIZERS) if tokenizer else CONFIGS

    def download(*patterns, **options):
        return Path(snapshot_download(name, allow_patterns=[*configs, *patterns], **options))

    try:
        cached = download(local_files_only=True)
        known = (cached / 'config.json').is_file() and (not tokenizer or any(cached.glob('tokenizer*')))
        if known and (not weights or _is_complete(cached)):
            return cached
    except LocalEntryNotFoundError:
        pass
    try:
        if not weights:
            return download()
        folder = download('model.safetensors', 'model-*.safetensors', f'model.safetensors{INDEX}')
        return folder if weight_files(folder) else download('pytorch_model*.bin', f'pytorch_model.bin{INDEX}')
    except Exception as error:  # of many kinds: no network, no such repository, a licence to be accepted first
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f'there is no folder {name}, and the repository of that name cannot be had from the Hugging Face hub: '
            f'{reason}. Where there is no network, copy the folder of the model here and give its path'
        ) from None


def weight_files(path):
    """The files that hold a model's weights.

    Args:
        path (str | Path): A folder, an index of shards, or a file of weights.

    Returns:
        list[Path]: one, or the shards; none if a folder has no weights.

    Raises:
        FileNotFoundError: if a shard is missing.
        ValueError: if the index of shards is not sound.
    """
    path = Path(path)
    if path.is_dir():
        for name in SINGLE:
            for found in (path / name, path / f'{name}{INDEX}'):
                if found.is_file():
                    return weight_files(found)
        return []
    if not path.name.endswith(INDEX):
        return [path]
    shards = read_json(path, dict, max_bytes=MAX_JSON).get('weight_map')
    names = (
        set(shards.values()) if isinstance(shards, dict) and all(isinstance(n, str) for n in shards.values()) else ()
    )
    ending = path.name.removesuffix(INDEX).rpartition('.')[2]
    if not names or not all(re.fullmatch(rf'[\w.-]+\.{ending}', name, re.ASCII) for name in names):
        raise ValueError(f'{path}: weight_map has to give files .{ending} beside it, by the names of tensors')
    files = [path.parent / name for name in sorted(names)]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f'{path} names the file {file.name}, which is not there: get it again')
    return files


def weights_sha256(path):
    """SHA-256 of a model's weights, in hex.

    Args:
        path (str | Path): As for :func:`weight_files`.

    Returns:
        str: of the file; of several, that of the lines that ``sha256sum`` writes of them, sorted by name.
    """
    files = weight_files(path)
    if len(files) == 1:
        return file_sha256(files[0])
    lines = ''.join(f'{file_sha256(file)}  {file.name}\n' for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def file_sha256(path):
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def model_name(name):
    """What a model is called in results: the last part of its folder or repository, also in the hub's cache."""
    path = Path(os.path.abspath(name)) if Path(name).is_dir() else Path(name)
    if path.parent.name == 'snapshots':
        return path.parents[1].name.rpartition('--')[2]
    return path.name


def _is_complete(folder):
    try:
        return bool(weight_files(folder))
    except FileNotFoundError:
        return False
