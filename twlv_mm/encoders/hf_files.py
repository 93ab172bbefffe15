"""The files of a model in Hugging Face's layout: a folder or a repository, with one file of weights or shards."""

import hashlib
import os
import re
from pathlib import Path

from twlv_mm.records import read_json

MAX_JSON = 1 << 24
CONFIGS = ('config.json', 'preprocessor_config.json', 'video_preprocessor_config.json', 'processor_config.json')
TOKENIZERS = ('tokenizer*', 'vocab*', 'merges.txt', 'special_tokens_map.json', 'added_tokens.json', 'spiece.model')
# In order of preference. Pickles are only read with weights_only=True.
SINGLE = (
    *('model.safetensors', 'pytorch_model.bin'),
    *('open_clip_model.safetensors', 'open_clip_pytorch_model.bin'),
)
INDEX = '.index.json'
REPOSITORY = re.compile(r'[\w.-]+/[\w.-]+', re.ASCII)


def model_folder(name, weights=False, tokenizer=False):
    """Find the folder of a model, downloading it if necessary.

    Args:
        name (str): A folder, or a repository of the hub such as 'facebook/vjepa2-vitl-fpc64-256'. A cached repository
            is used without checking for a newer version.
        weights (bool): Whether its weights are needed.
        tokenizer (bool): Whether its tokenizer's files are needed.

    Returns:
        Path

    Raises:
        ValueError: if there is no such folder, and no such repository can be reached.
        ImportError: if it is a repository and huggingface_hub is not installed.
    """
    if Path(name).is_dir():
        return Path(name)
    if not REPOSITORY.fullmatch(name):
        raise ValueError(f'folder {name} does not exist; a repository of the hub would be OWNER/NAME')
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise ImportError(
            f"{name} is not a folder, and downloading it needs {error.name}: pip install 'twlv-i[hf]'"
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
    except Exception as error:  # of many types: no network, no such repository, a licence to be accepted first
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f'folder {name} does not exist, and the repository of that name cannot be downloaded from the Hugging Face '
            f'hub: {reason}. Without a network, copy the folder of the model here and give its path'
        ) from None


def weight_files(path):
    """The files that hold a model's weights: one, or shards; empty for a folder without weights.

    Args:
        path (str | Path): A folder, an index of shards, or a file of weights.

    Raises:
        FileNotFoundError: if a shard is missing.
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
        raise ValueError(f'{path}: weight_map must map names of tensors to .{ending} files beside it')
    files = [path.parent / name for name in sorted(names)]
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f'{path} names the file {file.name}, which is not there: download it again')
    return files


def weights_sha256(path):
    """SHA-256 of a model's weights, in hex.

    Of several files, that of the lines that ``sha256sum`` writes for them, sorted by name.
    """
    files = weight_files(path)
    if len(files) == 1:
        return file_sha256(files[0])
    lines = ''.join(f'{file_sha256(file)}  {file.name}\n' for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def file_sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def model_name(name):
    """The name of a model in results: the last part of its folder or repository, also in the hub's cache."""
    path = Path(os.path.abspath(name)) if Path(name).is_dir() else Path(name)
    if path.parent.name == 'snapshots':
        return path.parents[1].name.rpartition('--')[2]
    return path.name


def _is_complete(folder):
    try:
        return bool(weight_files(folder))
    except FileNotFoundError:
        return False
