"""The check before an uninstall: it waits for what is being deleted, refuses what nobody deletes, and always ends."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.shell.uninstall import Left, find_left, wait_until_gone

LIVING = Left("DataProduct sales/orders", deleting=False, destroys=False)
GOING = Left("Domain sales", deleting=True, destroys=False)
DOOMED = Left("DataProduct sales/returns", deleting=False, destroys=True)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def run(answers: Sequence[tuple[Left, ...] | None], *, seconds: float = 240.0, patient: bool = False) -> tuple[str, float]:
    """What is said in the end, and after how many seconds. The last answer is given for ever; None: no answer."""
    clock, looks = Clock(), iter(answers)
    last: list[tuple[Left, ...] | None] = [None]

    def look() -> tuple[Left, ...]:
        last[0] = next(looks, last[0])
        if last[0] is None:
            raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")
        return last[0]

    return wait_until_gone(look, seconds=seconds, patient=patient, now=clock.now, wait=clock.wait), clock.time


def test_an_empty_mesh_is_no_reason_to_wait() -> None:
    assert run([()]) == ("", 0.0)


def test_objects_that_are_being_deleted_are_waited_for() -> None:
    assert run([(LIVING, GOING), (GOING,), ()]) == ("", 6.0)


def test_objects_that_nobody_deletes_are_refused_soon_with_what_would_be_destroyed() -> None:
    said, after = run([(LIVING, DOOMED)])
    assert 20 <= after < 30
    assert said.startswith("2 objects of the mesh are left: DataProduct sales/orders, DataProduct sales/returns. ")
    assert "The data of DataProduct sales/returns would be destroyed." in said
    assert "helm rollback" in said
    assert "--no-hooks" not in said, "who follows it loses every object"


def test_a_patient_check_waits_for_what_nobody_deletes_yet_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert run([*[(LIVING, GOING)] * 20, (LIVING,), ()], patient=True) == ("", 63.0)
    assert [record.getMessage() for record in caplog.records] == [
        "Waiting for objects of the mesh; being deleted (1): Domain sales; deleted by nobody yet (1): DataProduct sales/orders",
        "Waiting for objects of the mesh; deleted by nobody yet (1): DataProduct sales/orders",
    ]
    said, after = run([(LIVING,)], patient=True)
    assert (after, said.startswith("1 objects of the mesh are left: DataProduct sales/orders.")) == (240.0, True)


def test_a_deletion_that_never_ends_ends_the_wait() -> None:
    said, after = run([(GOING,)], seconds=60.0)
    assert (after, "Domain sales" in said, "destroyed" in said) == (60.0, True, False)


def test_an_api_server_that_does_not_answer_ends_the_wait_too_and_is_no_leave() -> None:
    said, after = run([None], seconds=60.0)
    assert (after, said.startswith("The API server did not say")) == (60.0, True)
    assert run([None, ()]) == ("", 3.0)


def test_a_long_list_is_cut() -> None:
    said, _ = run([tuple(Left(f"Domain d{number:02}", deleting=False, destroys=False) for number in range(12))])
    assert "Domain d09 and 2 more." in said


def discovery(*plurals: str) -> dict[str, Any]:
    """What the API server says that it serves."""
    return {
        "/apis": {"kind": "APIGroupList", "groups": [{"name": "apps"}, *([{"name": GROUP}] if plurals else [])]},
        f"/apis/{GROUP}/{VERSION}": {"kind": "APIResourceList", "resources": [{"name": plural} for plural in plurals]},
    }


class Server:
    """Answers lists in pages of one; what has none here has no CRD."""

    def __init__(self, items: Mapping[str, list[dict[str, Any]]], *, status: int = 404, served: dict[str, Any] | None = None) -> None:
        self._items, self._status, self._served = items, status, served or discovery(*items)

    def request(self, method: str, path: str, *, query: Mapping[str, str] | None = None, **_: Any) -> dict[str, Any]:
        assert method == "GET"
        if path in ("/apis", f"/apis/{GROUP}/{VERSION}"):
            return dict(self._served[path])
        plural = path.rpartition("/")[2]
        if plural not in self._items:
            raise ApiError(self._status, b"{}")
        found, first = self._items[plural], int((query or {}).get("continue", "0"))
        token = str(first + 1) if first + 1 < len(found) else ""
        return {"items": found[first : first + 1], "metadata": {"continue": token} if token else {}}


def an_object(name: str, *, namespace: str = "", deleting: bool = False, policy: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **({"deletionTimestamp": "now"} if deleting else {})}
    return {"metadata": metadata, "spec": {"storage": {"deletionPolicy": policy}} if policy else {}}


def test_every_page_of_every_kind_is_looked_at_and_a_kind_without_a_crd_has_none() -> None:
    products = [an_object("a", namespace="sales", policy="Delete"), an_object("b", namespace="sales", policy="Retain", deleting=True)]
    found = find_left(Server({"dataproducts": products, "domains": [an_object("sales")]}))
    assert sorted(found, key=lambda left: left.name) == [
        Left("DataProduct sales/a", deleting=False, destroys=True),
        Left("DataProduct sales/b", deleting=True, destroys=False),
        Left("Domain sales", deleting=False, destroys=False),
    ]


def test_without_any_crd_nothing_is_left() -> None:
    assert find_left(Server({})) == ()


@pytest.mark.parametrize("served", [discovery("objectstores"), {"/apis": {"a": "page"}}], ids=["its kinds are served", "a gateway answers"])
def test_a_404_of_something_else_is_no_leave(served: dict[str, Any]) -> None:
    with pytest.raises(MeshError, match=r"Listing ObjectStore|no APIGroupList"):
        find_left(Server({}, served=served))


def test_a_list_that_is_refused_is_no_leave() -> None:
    with pytest.raises(Exception, match="Listing ObjectStore"):
        find_left(Server({}, status=403))
