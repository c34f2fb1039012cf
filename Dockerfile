# The operator's image: a virtual environment from hash-locked requirements, run by a user that has no entry in /etc/passwd.
# BASE is any image with Python 3.11 or newer and its venv module; both stages use the same, so that the interpreter is at the same path.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.txt requirements-dev.txt ./
RUN python3 -m venv /opt/clouddatamesh \
    && /opt/clouddatamesh/bin/pip install --quiet --require-hashes --no-deps --requirement requirements.txt
# setuptools alone of the development requirements: what builds the package is locked as well, and is not in the image.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.txt > build.txt \
    && python3 -m venv /opt/build \
    && /opt/build/bin/pip install --quiet --require-hashes --no-deps --requirement build.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /src/dist . \
    && /opt/clouddatamesh/bin/pip install --quiet --no-deps --no-index /src/dist/*.whl \
    && /opt/clouddatamesh/bin/python -m compileall -q /opt/clouddatamesh/lib \
    && /opt/clouddatamesh/bin/pip uninstall --quiet --yes pip setuptools

FROM ${BASE}
COPY --from=build /opt/clouddatamesh /opt/clouddatamesh
ENV PATH=/opt/clouddatamesh/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["clouddatamesh"]
CMD ["run"]
