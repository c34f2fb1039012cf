"""A grant and its request, each in its turn: for a moment a grant waits for what its request gives or takes; what it then looks at."""

from functools import cache
from typing import Any, Final

import pytest

from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.reconcile.dispatch import reconcile
from clouddatamesh.reconcile.grants import is_under_way
from tests.reconcile.access_flows import REQUEST, asked, granted
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import a_grant, a_product, annotated
from tests.support.mesh import Mesh

GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")
AGAIN: Final = Key("AccessGrant", "sales", "again")
REFUSAL: Final = {"decision": "Deny", "validUntil": None}


@cache
def _asked() -> Mesh:
    return asked(Mesh())


@cache
def _granted() -> Mesh:
    return granted(Mesh())


def approved(*, after: float = 0.0, name: str = GRANT.name, **spec: Any) -> Mesh:
    """A request that was just approved; so many seconds passed since."""
    mesh = _asked().copy().apply(a_grant(name, **spec))
    mesh.clock.forward(seconds=after)
    return mesh


def in_effect(*, days: int = 10) -> Mesh:
    """Access that was given some days ago."""
    mesh = _granted().copy()
    mesh.clock.forward(days=days)
    return mesh


def waits(mesh: Mesh, key: Key = GRANT) -> bool:
    return is_under_way(mesh.get(key.kind, key.name, key.namespace), mesh.ports)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (30, True), (30.1, False), (-5, True), (-5.1, False)])
def test_an_approval_waits_for_the_turn_of_its_request(seconds: float, expected: bool) -> None:
    """Hundreds may be granted at once. Also where the operator's clock is behind the API server's."""
    assert waits(approved(after=seconds)) is expected


@pytest.mark.parametrize(("seconds", "expected"), [(5, True), (5.1, False)])
def test_an_approval_waits_five_seconds_for_a_request_that_was_looked_at(seconds: float, expected: bool) -> None:
    """It says by then why nothing was given."""
    mesh = approved()
    mesh.stores.at(ENDPOINT).down = True
    reconcile(REQUEST, mesh.ports)
    mesh.clock.forward(seconds=seconds)
    assert waits(mesh) is expected


def test_an_approval_waits_while_its_request_has_recorded_what_it_is_about_to_give() -> None:
    """Between the record and the last status there is a moment; else the grant is told of twice."""
    mesh = approved()
    seen: list[bool] = []
    mesh.cluster.after_write = lambda _verb, key: seen.append(waits(mesh)) if key in (REQUEST, GRANT) else None
    reconcile(REQUEST, mesh.ports)
    assert seen == [True, True, True, False], "finalizer, record, the grant's finalizer, status"


def test_an_approval_says_nothing_while_it_waits_and_is_looked_at_again() -> None:
    mesh = approved()
    before = len(mesh.trap.seen)
    assert reconcile(GRANT, mesh.ports).after == 5.0
    assert mesh.trap.seen[before:] == []


def test_what_the_request_rests_on_already_does_not_wait() -> None:
    assert not waits(_granted().copy())


@pytest.mark.parametrize(
    "spec",
    [REFUSAL, {"mode": "WriteOnly"}, {"requestRef": {"namespace": "inventory", "name": "nobody"}}, {"validUntil": "2025-01-01T00:00:00Z"}],
    ids=["a refusal", "of another mode", "of no request", "ended"],
)
def test_what_gives_nothing_waits_for_nothing(spec: dict[str, Any]) -> None:
    assert not waits(approved(**spec))


def test_of_two_approvals_only_the_one_that_gives_waits() -> None:
    mesh = approved().apply(a_grant(AGAIN.name, validUntil="2026-06-01T00:00:00Z"))
    assert [waits(mesh, key) for key in (GRANT, AGAIN)] in ([True, False], [False, True])


def test_a_second_approval_of_running_access_does_not_wait_where_the_first_goes_on_giving() -> None:
    mesh = in_effect().apply(a_grant(AGAIN.name, validUntil="2026-01-20T00:00:00Z", mode="WriteOnly"))
    assert not waits(mesh, AGAIN) and not waits(mesh, GRANT)


def test_a_grant_whose_age_is_not_known_does_not_wait() -> None:
    mesh = approved()
    found = mesh.get(GRANT.kind, GRANT.name, GRANT.namespace)
    ageless: Manifest = {**found, "metadata": {name: value for name, value in found["metadata"].items() if name != "creationTimestamp"}}
    assert not is_under_way(ageless, mesh.ports)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (30, True), (31, False)])
def test_a_grant_that_is_deleted_waits_for_the_turn_of_its_request(seconds: float, expected: bool) -> None:
    mesh = in_effect().delete(*_of(GRANT))
    mesh.clock.forward(seconds=seconds)
    assert waits(mesh) is expected


def _of(key: Key) -> tuple[str, str, str]:
    return key.kind, key.name, key.namespace


def test_a_grant_that_is_deleted_and_on_which_nothing_rests_does_not_wait() -> None:
    mesh = approved()
    mesh.cluster.user_finalize(GRANT, "clouddatamesh.dev/finalizer")
    mesh.delete(*_of(GRANT))
    assert not waits(mesh)


def test_a_grant_that_is_held_by_others_alone_does_not_wait() -> None:
    mesh = in_effect()
    mesh.cluster.user_finalize(GRANT, "example.com/held")
    assert not waits(mesh.delete(*_of(GRANT)))


@pytest.mark.parametrize("annotation", ["orphan", "force_delete"])
@pytest.mark.parametrize(("value", "goes"), [(GRANT.name, True), ("another", False)], ids=["by its name", "by another name"])
def test_a_grant_lets_go_of_access_that_cannot_be_taken_where_its_owner_names_it(annotation: str, value: str, goes: bool) -> None:
    mesh = in_effect().apply(annotated(a_grant(validUntil="2026-02-01T00:00:00Z"), **{annotation: value})).delete(*_of(GRANT))
    mesh.clock.forward(seconds=31 if not goes else 1)
    reconcile(GRANT, mesh.ports)
    assert mesh.exists(*_of(GRANT)) is not goes
    assert any(key == GRANT and event.reason == "Abandoned" for key, event in mesh.cluster.events) is goes


def test_a_grant_without_annotations_waits_until_its_access_was_taken() -> None:
    mesh = in_effect().delete(*_of(GRANT))
    mesh.clock.forward(seconds=31)
    reconcile(GRANT, mesh.ports)
    assert mesh.condition(*_of(GRANT), type_="DeletionBlocked")["reason"] == "InUse"


@pytest.mark.parametrize(
    ("held", "cached", "failures"),
    [(True, True, ()), (False, True, ()), (True, False, ("ClusterUnavailable",)), (False, False, ())],
    ids=["held", "not held", "held, and its request does not show", "not held, and its request does not show"],
)
def test_a_request_that_does_not_show_is_read_live_where_its_grant_is_held(
    held: bool, cached: bool, failures: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = in_effect()
    if not held:
        mesh.cluster.user_finalize(GRANT)
    mesh.cluster.unreadable = {"AccessRequest"}
    real = mesh.cluster.get
    monkeypatch.setattr(mesh.cluster, "get", lambda key: None if key == REQUEST and not cached else real(key))
    assert reconcile(GRANT, mesh.ports).failures == failures


def test_a_fresh_grant_whose_request_cannot_be_read_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = approved()
    mesh.cluster.user_finalize(GRANT, "clouddatamesh.dev/finalizer")
    mesh.cluster.unreadable = {"AccessRequest"}
    real = mesh.cluster.get
    monkeypatch.setattr(mesh.cluster, "get", lambda key: None if key == REQUEST else real(key))
    assert reconcile(GRANT, mesh.ports).failures == ("ClusterUnavailable",)


BAN: Final[dict[str, Any]] = {
    **dict.fromkeys(("requestRef", "outputPort", "consumer", "mode", "validUntil")),
    "decision": "Deny",
    "consumerNamespace": "inventory",
}


@pytest.mark.parametrize(
    ("product", "told"),
    [
        ("orders", ("Unknown", "Every request from namespace inventory for")),
        ("other", ("True", "Every request from namespace inventory for")),
        ("nobody", ("Unknown", "DataProduct sales/nobody does not exist")),
    ],
    ids=["access still runs", "nobody asked", "no such product"],
)
def test_a_refusal_of_a_whole_namespace_is_told_by_the_requests_for_its_own_product(product: str, told: tuple[str, str]) -> None:
    mesh = in_effect().apply(a_product("other"), a_grant("all", **BAN, dataProductRef={"name": product}))
    mesh.clock.forward(minutes=1)
    reconcile(Key("AccessGrant", "sales", "all"), mesh.ports)
    ready = mesh.condition("AccessGrant", "all", "sales")
    assert (ready["status"], ready["message"][: len(told[1])]) == told
