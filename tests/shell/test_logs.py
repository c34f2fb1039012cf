"""Logs: one line an entry, nothing that looks like a secret, libraries quiet whatever the level."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from clouddatamesh.shell import logs
from clouddatamesh.shell.logs import MASK, redact

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # from AWS's own documentation


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """The lines on standard error; the loggers are put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err.splitlines()  # noqa: PLW0108 - read again at each call
    root.handlers[:], root.level = before


@pytest.mark.parametrize(
    "text",
    [
        f"secret-access-key: {SECRET}",
        f'{{"secretAccessKey": "{SECRET}"}}',
        f"the key {SECRET} was refused",
        "Authorization: Bearer " + SECRET[:20],
        "GET /b?X-Amz-Signature=" + SECRET[:20] + "&X-Amz-Date=1",
        "Credential=" + SECRET[:20] + "/20261124/us-east-1/s3/aws4_request",
        f"token eyJhbGciOiJSUzI1NiJ9.{SECRET[:13]}.{SECRET[:13]}",
        "-----BEGIN EC PRIVATE KEY-----\n" + SECRET + "\n-----END EC PRIVATE KEY-----",
    ],
    ids=["named", "in JSON", "loose", "bearer", "signed URL", "credential scope", "web token", "private key"],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert MASK in redact(text)
    assert SECRET[:13] not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Reconciling DataProduct sales/orders could not be concluded: Updating failed",
        "Bucket acme-sales-orders-0123456789abcdef0123 in https://s3.eu-central-1.amazonaws.com/acme-sales-orders",
        "commit 5defd62a0c1b2d3e4f5061728394a5b6c7d8e9f0",
        "Secret clouddatamesh-system/main-s3 has no key secret-access-key",
        "uid 0b0e1d9e-5e0f-4f57-8d0f-3a3c4c1c7d11",
    ],
)
def test_the_rest_is_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("style", ["text", "json"])
def test_an_error_is_one_line_with_its_trace_and_without_secrets(style: str, written: Callable[[], list[str]]) -> None:
    logs.configure(level="DEBUG", style=style)
    try:
        raise ValueError(f"password={SECRET}")
    except ValueError:
        logging.getLogger("clouddatamesh.test").exception("It failed\nbadly")
    (line,) = written()
    assert "Traceback" in line
    assert SECRET not in line
    if style == "json":
        assert json.loads(line)["message"] == "It failed\nbadly"


def test_libraries_that_print_headers_stay_quiet_at_debug(written: Callable[[], list[str]]) -> None:
    logs.configure(level="DEBUG", style="text")
    for name in ("botocore.auth", "urllib3.connectionpool", "kubernetes.client.rest", "kopf.objects", "aiohttp.client"):
        logging.getLogger(name).info("headers and bodies")
    logging.getLogger("clouddatamesh.kube").debug("one of ours")
    assert [line.rpartition(": ")[2] for line in written()] == ["one of ours"]
