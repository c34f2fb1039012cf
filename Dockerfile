# The images of clouddatamesh, one target each:
#   operator    the operator (the default target)
#   quickstart  a small S3 store for trials, and what installs the retail mesh on it
#
# BASE is any image with Python 3.11 or newer and its venv module. All stages use the same one, so that the interpreter is at the same path.
# Everything that is installed is hash-locked. What a build adds to BASE depends on the sources and SOURCE_DATE_EPOCH alone: no file has
# another time, and bytecode holds no time at all. Each image has the list of what is in it at /opt/<name>/sbom.cdx.json (CycloneDX).
ARG BASE=docker.io/library/python:3.11-slim-bookworm

# What builds the images and is in none of them.
FROM ${BASE} AS tools
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY hack/tools/image.txt ./
RUN python3 -m venv /opt/tools \
    && /opt/tools/bin/pip install --quiet --no-deps --require-hashes --requirement image.txt

FROM tools AS operator-files
COPY requirements.txt ./
RUN python3 -m venv --without-pip /opt/clouddatamesh \
    && /opt/tools/bin/pip --python /opt/clouddatamesh/bin/python install --quiet --no-compile --no-deps --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE* ./
COPY operator operator
ARG SOURCE_DATE_EPOCH=0
RUN export SOURCE_DATE_EPOCH \
    && /opt/tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/tools/bin/pip --python /opt/clouddatamesh/bin/python install --quiet --no-compile --no-deps --no-index --find-links dist clouddatamesh \
    && /opt/clouddatamesh/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/clouddatamesh/lib \
    && /opt/tools/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
        --output-file /opt/clouddatamesh/sbom.cdx.json /opt/clouddatamesh/bin/python \
    && find /opt/clouddatamesh -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM tools AS quickstart-files
COPY quickstart/requirements.txt ./
RUN python3 -m venv --without-pip /opt/quickstart \
    && /opt/tools/bin/pip --python /opt/quickstart/bin/python install --quiet --no-compile --no-deps --require-hashes --requirement requirements.txt
COPY quickstart/*.py /opt/quickstart/app/quickstart/
COPY examples/retail /opt/quickstart/retail
ARG SOURCE_DATE_EPOCH=0
RUN export SOURCE_DATE_EPOCH \
    && /opt/quickstart/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/quickstart/lib /opt/quickstart/app \
    && /opt/tools/bin/cyclonedx-py environment --output-reproducible \
        --output-file /opt/quickstart/sbom.cdx.json /opt/quickstart/bin/python \
    && find /opt/quickstart -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE} AS quickstart
COPY --from=quickstart-files /opt/quickstart /opt/quickstart
ENV PATH=/opt/quickstart/bin:$PATH PYTHONPATH=/opt/quickstart/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "-m", "quickstart"]
CMD ["serve"]
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="clouddatamesh-quickstart" \
      org.opencontainers.image.description="A small S3 store for trials of clouddatamesh; it keeps everything in memory" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

FROM ${BASE} AS operator
COPY --from=operator-files /opt/clouddatamesh /opt/clouddatamesh
ENV PATH=/opt/clouddatamesh/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["clouddatamesh"]
CMD ["run"]
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="clouddatamesh" \
      org.opencontainers.image.description="A Kubernetes operator for data meshes: domains, data products and access as manifests" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
