"""Documents that are data, and hostile: the time is bounded, every field is reported, and nothing is lost without a word."""

import time
from typing import Any

import pytest

from clouddatamesh.export.bitol import kept
from clouddatamesh.export.bitol.report import Verdict
from tests.support.exchange import imported

SECONDS = 20.0
LONG = "A-" * 4_000_000
HOSTILE: dict[str, dict[str, Any]] = {
    "custom properties": {"customProperties": [{"property": f"p{place}", "value": place} for place in range(50_000)]},
    "our own properties": {
        "customProperties": [{"property": "classification", "value": "public", "vendor": "clouddatamesh"} for _ in range(40_000)]
    },
    "ports": {"outputPorts": [{"name": f"p{place}"} for place in range(50_000)]},
    "ports of one name": {"outputPorts": [{"name": "p", "type": "topic", "version": f"1.0.{place}"} for place in range(50_000)]},
    "inputs of one name": {"inputPorts": [{"name": "p", "contractId": f"c{place}"} for place in range(50_000)]},
    "channels of one name": {"support": [{"channel": "c"} for _ in range(50_000)]},
    "members": {"team": {"members": [{"username": f"u{place}", "role": "x"} for place in range(50_000)]}},
    "tags": {"tags": [f"t{place}" for place in range(150_000)]},
    "a long version": {"version": "1." * 3_000_000},
    "a long link": {"support": [{"channel": "c", "url": f"https://{LONG}"}]},
    "many variables": {"description": {"purpose": "${" * 4_000_000}},
    "a long description": {"description": {"purpose": LONG}},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_document_is_read_in_time(what: str) -> None:
    body = {"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "x", "name": "orders", "status": "active", **HOSTILE[what]}
    began = time.process_time()
    found = imported(body)
    assert time.process_time() - began < SECONDS
    (name,) = HOSTILE[what]
    assert any(entry.path.startswith(f"$.{name}") for entry in found.report)
    assert len(str(found.manifests)) < 200_000 + kept.MOST_KEPT
    if any(entry.verdict is Verdict.LOST for entry in found.report):
        assert "leave the file in Git" in next(entry.message for entry in found.report if entry.path == "$")


def test_a_name_that_is_too_long_for_any_object_is_an_error() -> None:
    found = imported({"apiVersion": "v1.1.0", "kind": "DataProduct", "id": "x", "name": LONG, "status": "active"})
    assert found.manifests == ()
    assert all(len(entry.message) < 500 for entry in found.report)
