# syntax=docker/dockerfile:1
# Two images of one build:
#   worker  join, publish and every command that needs no torch
#   rank    the same and torch (with CUDA; it uses a GPU where the container has one)
# The role is the command: docker run IMAGE worker join -c /etc/lis-online.toml
#
# It runs as a user without rights, and its root may be read-only: it writes to the folder of the checkpoints and to /tmp.
# To the network it answers with token and certificate alone, unless LIS_HTTP__INSECURE says otherwise (docs/security.md).
# The release pins the base by its digest: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:...

ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/lis-online
RUN pip install --no-cache-dir "uv>=0.5,<1" && uv venv "$VIRTUAL_ENV"
WORKDIR /src
# dependencies first, of the lock's versions and hashes: a change of the code does not fetch them again
COPY pyproject.toml requirements.lock ./
RUN uv pip install --no-cache --require-hashes -r pyproject.toml --extra serve --extra avro --extra protobuf -c requirements.lock
COPY README.md LICENSE ./
COPY migrations migrations
COPY streams streams
COPY lis_online lis_online
RUN uv pip install --no-cache --no-deps .

FROM build AS build-rank
RUN uv pip install --no-cache --require-hashes -r pyproject.toml --extra rank --extra parquet -c requirements.lock

FROM ${PYTHON} AS runtime
ENV PATH=/opt/lis-online/bin:$PATH PYTHONUNBUFFERED=1 \
    LIS_HTTP__HOST=0.0.0.0 LIS_HTTP__PORT=9464 LIS_CHECKPOINTS__DIRECTORY=/var/lib/lis-online/checkpoints \
    NUMBA_CACHE_DIR=/tmp/numba
# a volume that is mounted on the folder takes over its owner
RUN groupadd --gid 10001 lis \
    && useradd --uid 10001 --gid lis --home-dir /var/lib/lis-online --create-home --shell /usr/sbin/nologin lis \
    && install -d -o lis -g lis /var/lib/lis-online/checkpoints
USER 10001:10001
WORKDIR /var/lib/lis-online
EXPOSE 9464
# a worker ends by itself within 20 s
STOPSIGNAL SIGTERM
# of the worker's own certificate nothing is asked: it is for the name that others know it by
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "\
import os, ssl, urllib.request as u; \
scheme = 'https' if 'LIS_HTTP__CERTIFICATE_FILE' in os.environ else 'http'; \
u.urlopen(f'{scheme}://127.0.0.1:{os.environ[\"LIS_HTTP__PORT\"]}/healthz', timeout=5, \
context=ssl._create_unverified_context())"]
ENTRYPOINT ["lis-online"]
CMD ["--help"]

FROM runtime AS rank
COPY --from=build-rank /opt/lis-online /opt/lis-online

FROM runtime AS worker
COPY --from=build /opt/lis-online /opt/lis-online
