"""The lenient reading of raw manifests: what is there is read, what cannot be read is never taken for a no, and nothing raises."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clouddatamesh.api.base import ObjectMeta
from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import DAWN, Ask, Place, Port
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan import marks
from clouddatamesh.plan.access.facts import (
    consumer_key,
    cut_offs,
    digest_of_spec,
    moment,
    part_of,
    read_grant,
    read_product,
    read_request,
    span,
)
from tests.support.manifests import a_grant, a_product, a_request, annotated
from tests.unit.access_scene import END, MADE, NOW


def living(manifest: Manifest, **status: Any) -> Manifest:
    """As the API server holds it."""
    return {**manifest, "metadata": {**manifest["metadata"], "uid": "uid", "creationTimestamp": MADE}, "status": status}


def test_a_request() -> None:
    asks: dict[str, Any] = {"outputPort": {"name": "daily", "version": "2.3.4"}, "renewal": {"requestedAt": NOW}}
    place = {"store": "main", "bucket": "acme-orders", "path": "daily/"}
    told = {"principal": "inventory-x", "validUntil": END, "decidedAt": MADE, "place": place, "grantRef": {"uid": "uid-yes"}}
    conditions = [{"type": "Provisioned", "status": "True"}, {"type": "Expired", "status": "True"}]
    assert read_request(living(a_request(**asks), conditions=conditions, **told)) == Ask(
        key=Key("AccessRequest", "inventory", "orders-for-forecast"),
        uid="uid",
        product=Key("DataProduct", "sales", "orders"),
        port=("daily", "2"),
        version="2.3.4",
        created=parse_time(MADE),
        mode="ReadOnly",
        consumer=Key("DataProduct", "inventory", "forecast"),
        duration="90d",
        secret_name="orders-access",
        renewal_at=parse_time(NOW),
        grant_uid="uid-yes",
        place=Place("main", "acme-orders", "daily/"),
        principal="inventory-x",
        recorded_end=parse_time(END),
        decided_at=parse_time(MADE),
        is_provisioned=True,
        has_expired=True,
    )


@pytest.mark.parametrize(("told", "region"), [("Bucket", "eu-west-1"), ("Store", ""), (None, "")])
def test_the_region_of_a_bucket_counts_where_it_was_read_from_the_bucket(told: str | None, region: str) -> None:
    assert read_product(living(a_product(), storage={"region": "eu-west-1", "regionFrom": told})).region == region


def test_a_request_of_a_service_account() -> None:
    assert consumer_key(a_request(consumer={"serviceAccountRef": {"name": "loader"}})) == Key("ServiceAccount", "inventory", "loader")


def test_who_uses_it_is_nobody_where_that_cannot_be_read() -> None:
    """A name that no object can have, so that it is never found to exist."""
    assert consumer_key(a_request(consumer={"teamRef": {"name": "x"}})) == Key("ServiceAccount", "inventory", "None")


@pytest.mark.parametrize("decision", ["Deny", "Perhaps", "approve", None, 1, ["Approve"]])
def test_what_is_not_approve_is_deny(decision: object) -> None:
    assert read_grant(living(a_grant(decision=decision))).decision == "Deny"


def test_whose_a_grant_is() -> None:
    made = {"labels": {marks.MANAGED_LABEL: marks.MANAGER}, "annotations": {marks.OWNER_ANNOTATION: "AccessRequest/inventory/x/uid"}}
    grant = living(a_grant())
    assert read_grant(grant).owner == ""
    ours = {**grant["metadata"], **made, "name": "auto-inventory-x-abcdefghijklmnop"}
    assert read_grant({**grant, "metadata": ours}).owner == "AccessRequest/inventory/x/uid"
    assert read_grant({**grant, "metadata": {**ours, "name": "inventory-x"}}).owner == "", "a copy under another name is the owner's"
    assert read_grant({**grant, "metadata": {**grant["metadata"], "annotations": made["annotations"]}}).owner == ""
    for labels in ({}, None, {marks.MANAGED_LABEL: "argocd"}):
        found = read_grant({**grant, "metadata": {**ours, "labels": labels}})
        assert found.owner == "AccessRequest/inventory/x/uid", "labels are written by others too"


def test_how_a_grant_is_held_and_going() -> None:
    grant = living(a_grant(), maxDuration="1d12h", conditions=[{"type": "Superseded", "status": "True"}])
    found = read_grant({**grant, "metadata": {**grant["metadata"], "finalizers": [marks.FINALIZER], "deletionTimestamp": NOW}})
    assert (found.held, found.deleting, found.superseded, found.cap) == (True, True, True, timedelta(hours=36))
    plain = read_grant(living(a_grant(), conditions=[{"type": "Superseded", "status": "False"}]))
    assert (plain.held, plain.deleting, plain.superseded, plain.cap) == (False, False, False, None)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ({"endedGeneration": 3}, True),
        ({"endedGeneration": 2}, False),
        ({"endedGeneration": 3, "endedUid": "g-uid", "endedSpec": "of another generation"}, True),
        ({"endedGeneration": 2, "endedUid": "g-uid", "endedSpec": digest_of_spec(a_grant())}, False),
        ({"endedGeneration": 3, "endedUid": "lost", "endedSpec": "another"}, False),
        ({"endedGeneration": 3, "endedUid": "lost"}, False),
        ({"endedGeneration": 7, "endedUid": "lost", "endedSpec": digest_of_spec(a_grant())}, True),
        ({"endedUid": "lost", "endedSpec": digest_of_spec(a_grant())}, False),
        ({}, False),
    ],
    ids=["as told before it said of which object", "an earlier spec", "this very object", "an earlier spec of it",
         "restored, and changed since", "restored, of no known spec", "restored with the spec that was ended", "no generation", "never"],
)  # fmt: skip
def test_a_grant_is_ended_by_its_ports_terms(status: dict[str, Any], ended: bool) -> None:
    grant = a_grant()
    assert read_grant({**grant, "metadata": {**grant["metadata"], "uid": "g-uid", "generation": 3}, "status": status}).ended is ended


def test_a_grant_without_a_moment_of_creation_is_the_oldest() -> None:
    grant = living(a_grant())
    assert read_grant({**grant, "metadata": {**grant["metadata"], "creationTimestamp": None}}).created == DAWN


def test_a_port() -> None:
    terms = {
        "approval": "Auto",
        "maxDuration": "90d",
        "minDuration": "2h",
        "allowPermanent": True,
        "rotateAfter": "30d",
        "modes": ["ReadOnly", "WriteOnly"],
    }
    product = living(a_product(outputPorts=[{"name": "daily", "version": "1.2.0", "path": "daily/", "access": terms}]))
    hours = timedelta(hours=2)
    assert read_product(product).ports == (
        Port("daily", "1", "1.2.0", "daily/", "Auto", timedelta(days=90), hours, True, timedelta(days=30), ("ReadOnly", "WriteOnly")),
    )


def test_the_terms_of_a_port_without_any_are_the_defaults() -> None:
    (port,) = read_product(living(a_product())).ports
    assert (port.approval, port.max_duration, port.min_duration) == ("Manual", None, timedelta(hours=1))
    assert (port.allow_permanent, port.modes) == (False, ("ReadOnly",))


@pytest.mark.parametrize("modes", ["ReadOnly", None, 7, [1], {"ReadOnly": True}])
def test_modes_that_cannot_be_read_are_not_known(modes: object) -> None:
    port = {"name": "daily", "version": "1.0.0", "path": "daily/", "access": {"modes": modes}}
    (found,) = read_product(living(a_product(outputPorts=[port]))).ports
    assert found.modes is None


def test_a_port_that_status_still_tells_of_is_draining() -> None:
    seen = [{"name": "daily", "version": "1.0.0", "path": "daily/"}, {"name": "lost", "version": "1.0.0"}]
    (port,) = read_product(living(a_product(), outputPorts=seen)).former_ports
    assert (port.name, port.draining, port.modes, port.allow_permanent, port.max_duration) == ("daily", True, None, True, None)


@pytest.mark.parametrize(
    ("storage", "verified"),
    [
        ({"phase": "Owned", "ownershipVerified": True}, True),
        ({"phase": "Adopted", "ownershipVerified": True}, True),
        ({"phase": "Owned", "ownershipVerified": False}, False),
        ({"phase": "Creating", "ownershipVerified": True}, False),
        ({}, False),
    ],
)
def test_a_bucket_is_verified_once_it_was_read_back(storage: dict[str, Any], verified: bool) -> None:
    assert read_product(living(a_product(), storage=storage)).verified is verified


@pytest.mark.parametrize(("status", "reason"), [("True", ""), ("False", "NotOwned"), ("Unknown", "NotOwned")])
def test_why_a_bucket_is_not_as_it_should_be(status: str, reason: str) -> None:
    ready = {"type": "StorageReady", "status": status, "reason": "NotOwned", "message": "Another's"}
    found = read_product(living(a_product(), conditions=[ready]))
    assert (found.storage_reason, found.storage_message) == (reason, "Another's" if reason else "")


@pytest.mark.parametrize(
    ("annotations", "deleting", "cut"),
    [
        ({}, False, set()),
        ({"cut_off": "orders"}, False, {"orders"}),
        ({"cut_off": "daily/1.0.0"}, False, {"daily/1"}),
        ({"force_delete": "orders"}, False, set()),
        ({"force_delete": "orders"}, True, {"orders"}),
        ({"force_delete": "daily/1.0.0"}, False, {"daily/1"}),
        ({"orphan": "orders"}, True, set()),
    ],
    ids=str,
)
def test_what_the_owner_wants_cut_off(annotations: dict[str, str], deleting: bool, cut: set[str]) -> None:
    product = living(annotated(a_product(), **annotations))
    gone = {**product["metadata"], **({"deletionTimestamp": NOW} if deleting else {})}
    assert set(cut_offs({**product, "metadata": gone})) == cut


OUTSIDE: Final = ("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+00:01")
"""Times that Python reads and cannot put into UTC. Anybody may write them into an annotation."""


@pytest.mark.parametrize("text", [None, "", "soon", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", 7, ["2026-01-01T00:00:00Z"], *OUTSIDE])
def test_what_is_no_time_is_none(text: object) -> None:
    assert moment(text) is None


def test_a_time_may_be_written_in_any_zone() -> None:
    assert moment("2026-04-01T02:00:00+02:00") == parse_time(END)


@pytest.mark.parametrize("text", [None, "", "soon", "9" * 15 + "d", 7])
def test_what_is_no_duration_is_none(text: object) -> None:
    assert span(text) is None


@pytest.mark.parametrize("raw", [None, "x", 7, ["a"]])
def test_what_is_no_map_is_empty(raw: object) -> None:
    assert part_of({"status": raw}, "status") == {}


@pytest.mark.parametrize(
    ("used", "following"), [("", ""), ("b", "/2"), ("b/2", "/3"), ("b/x", "/2"), ("b/²", "/2"), (f"b/{'9' * 5000}", "/2")]
)
def test_the_next_consent_differs_from_the_last_whatever_that_says(used: str, following: str) -> None:
    metadata = ObjectMeta(name="orders", annotations={marks.RECREATE_ANNOTATION: used})
    assert marks.next_consent(metadata, "b") == f"{marks.RECREATE_ANNOTATION}=b{following}"


JUNK: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("name", "namespace", "uid")), inner, max_size=3),
    max_leaves=6,
)
READERS: Final = (
    (read_request, a_request(), ("dataProductRef", "outputPort", "mode", "consumer", "duration", "permanent", "secretName", "renewal")),
    (read_grant, a_grant(), ("decision", "dataProductRef", "outputPort", "requestRef", "consumer", "mode", "validUntil", "note")),
    (read_product, a_product(), ("lifecycle", "outputPorts", "storage", "suspend", "mode")),
)
STATUS: Final = ("grantRef", "place", "validUntil", "conditions", "outputPorts", "storage", "maxDuration", "principal")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(READERS), st.data())
def test_whatever_a_manifest_says_it_can_be_read(reader: tuple[Any, Manifest, tuple[str, ...]], data: st.DataObject) -> None:
    read, manifest, names = reader
    spec = {**manifest["spec"], **data.draw(st.dictionaries(st.sampled_from(names), JUNK, max_size=4))}
    status = data.draw(st.dictionaries(st.sampled_from(STATUS), JUNK, max_size=4))
    found = read({**living(manifest, **status), "spec": spec})
    assert found.uid == "uid"
