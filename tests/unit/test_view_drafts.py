"""Manifests that a reader may apply, and what the terms of a port refuse."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.view.answers import is_lasting
from clouddatamesh.view.drafts import Wish, draft_approval, draft_denial, draft_request, find_port
from clouddatamesh.view.refused import Refused
from tests.support.manifests import a_grant, a_product

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = {"maxDuration": "90d"}


def a_port(name: str = "daily", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {"name": name, "version": version, "path": f"{name}/{version}/", "access": TERMS, **more}


PORTS = [a_port(), a_port(version="2.0.0"), a_port(version="10.1.0"), a_port("weekly", deprecated=True)]


@pytest.mark.parametrize(
    ("ports", "wanted", "version"),
    [
        (PORTS, "daily", "10.1.0"),
        (PORTS, "daily/1", "1.0.0"),
        (PORTS, "daily/1.0.0", "1.0.0"),
        (PORTS, "", "10.1.0"),
        ([a_port()], "", "1.0.0"),
    ],
)
def test_a_port_is_found_by_what_of_it_is_named(ports: list[dict[str, Any]], wanted: str, version: str) -> None:
    assert find_port(a_product(outputPorts=ports), wanted).version == version


@pytest.mark.parametrize(
    ("ports", "wanted", "said"),
    [
        (PORTS, "weekly", "no port weekly"),
        (PORTS, "daily/3", "no port daily/3"),
        ([*PORTS, a_port("hourly")], "", "more than one port; name one"),
        ([], "", "has no port; its ports: none"),
    ],
    ids=["deprecated", "another version", "which one", "none at all"],
)
def test_a_port_that_cannot_be_had_is_refused_with_those_that_can(ports: list[dict[str, Any]], wanted: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        find_port(a_product(outputPorts=ports), wanted)


def test_a_request_is_what_the_api_server_takes() -> None:
    account = Key("ServiceAccount", "inventory", "loader")
    wish = Wish(Key("AccessRequest", "inventory", "orders"), "daily/1", "ReadOnly", account, "to load", "", "orders-key")
    permanent = a_product(outputPorts=[a_port(access={"allowPermanent": True})])
    assert draft_request(permanent, wish)["spec"] == {
        "dataProductRef": {"namespace": "sales", "name": "orders"},
        "outputPort": {"name": "daily", "version": "1.0.0"},
        "mode": "ReadOnly",
        "consumer": {"serviceAccountRef": {"name": "loader"}},
        "purpose": "to load",
        "permanent": True,
        "secretName": "orders-key",
    }


@pytest.mark.parametrize(
    ("end", "spec"),
    [
        ("30d", {"validUntil": "2026-01-31T00:00:00Z"}),
        ("2026-06-01T12:00:00+02:00", {"validUntil": "2026-06-01T10:00:00Z"}),
        ("permanent", {"permanent": True}),
    ],
)
def test_an_approval_is_the_inboxs_grant_with_an_end(end: str, spec: dict[str, Any]) -> None:
    template = a_grant(validUntil=None)
    bare = {name: value for name, value in template["spec"].items() if value is not None}
    found = draft_approval({**template, "spec": bare}, end, "", NOW)
    assert found["spec"] == {**bare, **spec}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("2025-01-01T00:00:00Z", "has passed"),
        ("soon", "'soon' is no duration"),
        ("0d", "is zero"),
        ("2026-01-01", "names no zone|no duration"),
    ],
)
def test_an_end_that_is_none_is_refused(end: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        draft_approval(a_grant(), end, "", NOW)


def test_a_denial_is_of_the_same_question_and_has_no_end() -> None:
    grant = a_grant(validUntil="2026-06-01T00:00:00Z", note="agreed")
    found = draft_denial(grant, "no longer")
    assert found["metadata"]["name"].startswith("deny-inventory-orders-for-forecast-")
    kept = {name: value for name, value in grant["spec"].items() if name not in ("validUntil", "note", "decision")}
    assert found["spec"] == {**kept, "decision": "Deny", "note": "no longer"}


def test_requests_that_read_alike_are_denied_by_two_names() -> None:
    alike = (a_grant(requestRef={"namespace": namespace, "name": name}) for namespace, name in (("a-b", "c"), ("a", "b-c")))
    assert len({draft_denial(grant, "")["metadata"]["name"] for grant in alike}) == 2


AUTO = a_product(outputPorts=[a_port(access={**TERMS, "approval": "Auto"})])
MANUAL = a_product(outputPorts=[a_port()])
LABELLED = {**a_grant(), "metadata": {**a_grant()["metadata"], "labels": {"argocd.argoproj.io/instance": "sales"}}}


@pytest.mark.parametrize(
    ("product", "others", "grant", "lasts"),
    [
        (MANUAL, (), a_grant(), True),
        (AUTO, (), a_grant(), False),
        (None, (), a_grant(), False),
        (MANUAL, (), LABELLED, False),
        (MANUAL, (a_grant("another"),), a_grant(), False),
        (MANUAL, (a_grant("another", decision="Deny"),), a_grant(), True),
        (MANUAL, (a_grant("another", requestRef={"namespace": "inventory", "name": "other"}),), a_grant(), True),
    ],
    ids=[
        "the only one",
        "the port answers again",
        "nobody knows",
        "a tool makes it again",
        "another approval",
        "a Deny",
        "of another request",
    ],
)
def test_whether_a_deletion_lasts(
    product: dict[str, Any] | None, others: tuple[dict[str, Any], ...], grant: dict[str, Any], lasts: bool
) -> None:
    assert is_lasting(product, (grant, *others), grant) is lasts
