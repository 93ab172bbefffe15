# CPU:   docker build -t twlv .
# CUDA:  docker build -t twlv --build-arg BASE=pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime .
# A CPU image is smaller by gigabytes with --build-arg TORCH_INDEX=URL, the address of PyTorch's CPU wheels.
# Then:  docker run --rm -v "$PWD":/work -w /work twlv extract twlv_base videos --out embeddings
ARG BASE=python:3.11-slim
FROM ${BASE}

# What OpenCV's wheel needs of the system.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/twlv
COPY . .

# A base that brings torch keeps its own.
ARG TORCH_INDEX=
RUN python -c 'import torch' 2> /dev/null || pip install --no-cache-dir torch ${TORCH_INDEX:+--index-url $TORCH_INDEX}
RUN pip install --no-cache-dir 'setuptools<81' wheel \
    && pip install --no-cache-dir --no-build-isolation mmcv-lite==2.1.0 \
    && pip install --no-cache-dir --no-build-isolation '.[analysis,parquet]' \
    && twlv doctor

WORKDIR /work
ENTRYPOINT ["twlv"]
CMD ["--help"]
