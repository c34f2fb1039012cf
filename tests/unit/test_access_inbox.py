"""A product's AccessInbox: who asks, with the grant that says yes, who has access, and when it is written."""

import re
from dataclasses import replace
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.accessinbox import AccessInbox
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.operations import CreateChild, WriteInbox
from clouddatamesh.plan.access import inbox
from clouddatamesh.plan.access.facts import read_request
from clouddatamesh.plan.access.terms import find_differences
from tests.support.manifests import a_request
from tests.support.worlds import a_world, the_product
from tests.unit.access_scene import END, TOO_LONG, read
from tests.unit.test_consumers import LATER, REF, ready, with_metadata, with_status


def test_an_entry_of_the_worklist() -> None:
    request = with_status(a_request(renewal={"reason": "it goes on", "requestedAt": LATER}), digest="1f3a")
    entry = inbox.pending_entry(request)
    assert entry.pop("grant")["kind"] == "AccessGrant"
    assert entry == {
        "namespace": "inventory",
        "name": "orders-for-forecast",
        "outputPort": "daily/1.0.0",
        "mode": "ReadOnly",
        "consumer": "DataProduct inventory/forecast",
        "purpose": "weekly stock forecast",
        "duration": "90d",
        "renewal": "it goes on",
        "digest": "1f3a",
    }
    assert inbox.pending_entry(a_request(permanent=True, duration=None))["duration"] == "permanent"


@pytest.mark.parametrize("asks", [{}, {"consumer": {"serviceAccountRef": {"name": "loader"}}}, {"mode": "ReadWrite"}], ids=str)
def test_the_grant_of_an_entry_lacks_nothing_but_its_end(asks: dict[str, Any]) -> None:
    """What the owner applies is exactly what is asked."""
    grant = inbox.grant_for(a_request(**asks))
    answer = read({**grant, "metadata": {**grant["metadata"], "uid": "u"}, "spec": {**grant["spec"], "validUntil": END}})
    assert answer.readable
    assert list(find_differences(answer, read_request(with_metadata(a_request(**asks), uid="uid-request")))) == []
    assert grant["metadata"]["namespace"] == "sales"
    assert re.fullmatch("inventory-orders-for-forecast-[a-z2-7]{8}", grant["metadata"]["name"])


def test_the_name_of_that_grant_is_legal_however_long_the_requests_is() -> None:
    name = inbox.grant_for(a_request("x" * 240 + "-" * 3 + "y" * 10))["metadata"]["name"]
    assert len(name) <= 253
    assert name[-1].isalnum()


def test_an_entry_of_the_consumers() -> None:
    request = with_status(a_request(), grantRef=REF, validUntil=END)
    assert inbox.consumer_entry(request) == {
        "namespace": "inventory",
        "name": "orders-for-forecast",
        "outputPort": "daily/1.0.0",
        "mode": "ReadOnly",
        "consumer": "DataProduct inventory/forecast",
        "purpose": "weekly stock forecast",
        "grant": "inventory-forecast",
        "validUntil": END,
    }


def a_crowd(count: int, **status: Any) -> tuple[Manifest, ...]:
    """Requests that were made one after the other, in another order."""
    made = [with_metadata(a_request(f"r{n:03}"), creationTimestamp=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z") for n in range(count)]
    return tuple(with_status(request, **status) for request in reversed(made))


def test_of_long_lists_the_oldest_are_shown_and_all_are_counted() -> None:
    waiting = a_crowd(inbox.MOST + 5, conditions=ready(reasons.AWAITING_GRANT))
    content = inbox.content_of(a_world(requests=waiting))
    assert [entry["name"] for entry in content["pending"]] == [f"r{n:03}" for n in range(inbox.MOST)]
    assert (content["pendingCount"], content["consumers"], content["consumerCount"]) == (inbox.MOST + 5, [], 0)
    assert "lineage" not in content
    using = inbox.content_of(a_world(requests=a_crowd(inbox.MOST + 5, grantRef=REF), lineage={"cyclic": False}))
    assert (len(using["consumers"]), using["consumerCount"], using["pendingCount"]) == (inbox.MOST, inbox.MOST + 5, 0)
    assert using["lineage"] == {"cyclic": False}


def an_inbox(**status: Any) -> Manifest:
    """The product's AccessInbox as the API server holds it."""
    metadata = {"name": "orders", "namespace": "sales", "uid": "uid-inbox", "generation": 1}
    return {"apiVersion": "clouddatamesh.dev/v1alpha1", "kind": "AccessInbox", "metadata": metadata, "status": status}


def test_a_product_with_ports_gets_an_inbox_of_its_name() -> None:
    (made,) = inbox.plan_inbox(the_product(), a_world()).operations
    assert isinstance(made, CreateChild)
    metadata = made.manifest["metadata"]
    assert (made.manifest["kind"], metadata["namespace"], metadata["name"]) == ("AccessInbox", "sales", "orders")
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "clouddatamesh"}
    assert [owner["uid"] for owner in metadata["ownerReferences"]] == ["uid-1"]
    assert AccessInbox.model_validate(made.manifest).metadata.name == "orders"


def test_there_is_none_without_ports_or_without_a_domain() -> None:
    assert inbox.plan_inbox(the_product(outputPorts=[]), a_world()).operations == ()
    assert inbox.plan_inbox(the_product(), a_world(home=None)).operations == ()


def test_an_inbox_is_written_where_it_differs_and_only_there() -> None:
    waiting = a_world(requests=a_crowd(2, conditions=ready(reasons.AWAITING_GRANT)), lineage={"cyclic": True}, inbox=an_inbox())
    (write,) = inbox.plan_inbox(the_product(), waiting).operations
    assert isinstance(write, WriteInbox)
    assert write.key == Key("AccessInbox", "sales", "orders")
    assert (write.uid, write.status["pendingCount"]) == ("uid-inbox", 2)
    assert AccessInbox.model_validate(an_inbox(**write.status)).status.pending_count == 2
    assert inbox.plan_inbox(the_product(), replace(waiting, inbox=an_inbox(**write.status))).operations == ()


def test_an_empty_inbox_is_written_once_however_the_server_keeps_empty_lists() -> None:
    empty = a_world(inbox=an_inbox(observedGeneration=1))
    assert inbox.plan_inbox(the_product(), empty).operations == ()
    shown = a_world(inbox=an_inbox(observedGeneration=1, pending=[], pendingCount=0, consumers=[], consumerCount=0))
    assert inbox.plan_inbox(the_product(), shown).operations == ()
    assert inbox.plan_inbox(the_product(), a_world(inbox=an_inbox(observedGeneration=-1))).operations != ()


@pytest.mark.parametrize(
    "asks",
    [
        {"purpose": TOO_LONG},
        {"mode": "Append"},
        {"renewal": {"reason": TOO_LONG, "requestedAt": LATER}},
        {"outputPort": {"name": "daily", "version": "x"}},
    ],
    ids=str,
)
def test_a_request_of_a_later_version_hides_no_other(asks: dict[str, Any]) -> None:
    """The inbox's schema would refuse the whole status over one entry."""
    waits = {"conditions": ready(reasons.AWAITING_GRANT)}
    odd, plain = with_status(a_request("odd", **asks), **waits), with_status(a_request("plain"), **waits)
    content = inbox.content_of(a_world(requests=(odd, plain)))
    assert [entry["name"] for entry in content["pending"]] == ["odd", "plain"]
    assert all(set(entry) > {"namespace", "name", "grant"} for entry in content["pending"])
    assert AccessInbox.model_validate(an_inbox(**content)).status.pending_count == 2
    used = inbox.content_of(a_world(requests=(with_status(odd, grantRef={**REF, "name": "g" * 300}),)))
    assert [len(entry["grant"]) for entry in used["consumers"]] == [253]
    assert AccessInbox.model_validate(an_inbox(**used)).status.consumer_count == 1


def test_of_texts_that_are_too_long_as_much_is_shown_as_the_schema_takes() -> None:
    port = {"name": TOO_LONG, "version": "1.0.0"}
    long: dict[str, Any] = {
        "purpose": TOO_LONG,
        "outputPort": port,
        "mode": TOO_LONG,
        "duration": TOO_LONG,
        "consumer": {"dataProductRef": {"name": TOO_LONG}},
    }
    asked = with_status(a_request(**long, renewal={"reason": TOO_LONG}), conditions=ready(reasons.AWAITING_GRANT), digest=TOO_LONG)
    used = with_status(a_request(**long), grantRef={**REF, "name": TOO_LONG}, validUntil=TOO_LONG)
    content = inbox.content_of(a_world(requests=(asked, used)))
    AccessInbox.model_validate(an_inbox(**content))
    (waits,), (uses,) = content["pending"], content["consumers"]
    words = {"outputPort": 256, "mode": 256, "consumer": 400, "purpose": 1024}
    assert {name: len(waits[name]) for name in (*words, "renewal", "duration", "digest")} == {
        **words, "renewal": 1024, "duration": 256, "digest": 256
    }  # fmt: skip
    assert {name: len(uses[name]) for name in (*words, "grant", "validUntil")} == {**words, "grant": 253, "validUntil": 64}
    spec = waits["grant"]["spec"]
    assert (len(spec["outputPort"]["name"]), len(spec["mode"])) == (256, 256)


def test_each_answer_has_a_name_of_its_own() -> None:
    """An old grant's end counts from its own making: who applies the old name again gives nothing."""
    asked = a_request()
    again = a_request(renewal={"requestedAt": LATER})
    decided, later = (with_status(asked, decidedAt=moment) for moment in (END, LATER))
    other = with_metadata(asked, uid="another")
    assert len({inbox.grant_for(one)["metadata"]["name"] for one in (asked, again, decided, later, other)}) == 5
