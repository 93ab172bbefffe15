import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name):
    """The lines of requirements/<name>.txt without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


# Read as text: importing the package needs torch, which is not there yet.
version = re.search(r"^__version__ = '(.+)'$", (ROOT / 'twlv_mm/__init__.py').read_text(encoding='utf-8'), re.M)[1]

setup(
    # Not the module's name: mmengine cannot find an editable install whose distribution has the module's name.
    name='twlv-i',
    version=version,
    description='The TWLV-I video encoder and the evaluation of video foundation models, for OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='The twlv_mm authors',
    license='Apache-2.0',
    keywords='video, action recognition, foundation model, OpenMMLab',
    packages=find_packages(include=['twlv_mm', 'twlv_mm.*']),
    # Sorts after twlv_mm: mim takes the first name of top_level.txt for the package.
    py_modules=['twlv_tools'],
    entry_points=dict(console_scripts=['twlv = twlv_tools:main']),
    # .mim is where mim and mmengine look; it holds links into the checkout, which a wheel replaces by the files.
    package_data={
        'twlv_mm': [
            'analysis/*.html',
            'report/*.css',
            'report/**/*.html',
            'report/*.json',
            'encoders/weights/*',
            'search/*.html',
            '.mim/model-index.yml',
            '.mim/configs/**/*.py',
            '.mim/configs/**/*.yml',
            '.mim/tools/**/*',
        ]
    },
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    # mim reads the extra of its own name.
    extras_require={
        'analysis': requirements('analysis'),
        'docs': requirements('docs'),
        'hf': requirements('hf'),
        'lance': requirements('lance'),
        'mim': requirements('mminstall'),
        'mteb': requirements('mteb'),
        'onnx': requirements('onnx'),
        'optional': requirements('optional'),
        'parquet': requirements('parquet'),
        'ray': requirements('ray'),
        'tests': requirements('tests'),
        'timm': requirements('timm'),
    },
    zip_safe=False,
)
