"""The gate program over an API server in memory: what it writes, what it leaves, and that it removes nothing without evidence."""

import copy
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.gate.bells import Bells, is_news
from clouddatamesh.gate.command import RESYNC, Loop, read_settings
from clouddatamesh.gate.rounds import Outcome, Rounds
from clouddatamesh.governance.gate.rendering import name_of
from clouddatamesh.kube.errors import ApiError
from clouddatamesh.kube.resources import RESOURCES
from clouddatamesh.model.judging import POLICY_KINDS
from clouddatamesh.model.objects import key_of
from clouddatamesh.shell.settings import SettingsError
from tests.support.manifests import a_domain
from tests.support.rules import GOOD, a_policy, a_waiver

Manifest = dict[str, Any]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULE = {"private": "object.spec.personalData == false"}
BY_PLURAL = {resource.plural: kind for kind, resource in RESOURCES.items()}


def looked_at(manifest: Manifest) -> dict[str, Any]:
    """The status of a policy that the operator applies."""
    generation = manifest["metadata"].get("generation")
    return {"observedGeneration": generation, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}]}


class Server:
    """Objects by path, with versions. `refuse` answers a request with an error instead."""

    def __init__(self, *manifests: Manifest) -> None:
        self.objects: dict[str, Manifest] = {}
        self.writes: list[str] = []
        self.refuse: Callable[[str, str], ApiError | MeshError | None] = lambda *_: None
        self._versions = itertools.count(1)
        for manifest in manifests:
            self.put(manifest)

    def put(self, manifest: Manifest) -> None:
        key, resource = key_of(manifest), RESOURCES[manifest["kind"]]
        if manifest["kind"] in POLICY_KINDS and "status" not in manifest:
            manifest = {**manifest, "status": looked_at(manifest)}
        place = f"/namespaces/{key.namespace}" if key.namespace else ""
        self._store(f"{resource.root}{place}/{resource.plural}/{key.name}", manifest)

    def _store(self, path: str, manifest: Mapping[str, Any]) -> None:
        metadata = {"uid": "uid", **manifest["metadata"], "resourceVersion": str(next(self._versions))}
        self.objects[path] = copy.deepcopy({**manifest, "metadata": metadata})

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Manifest:
        del headers, query
        if (error := self.refuse(method, path)) is not None:
            raise error
        if method == "GET" and path.rpartition("/")[2] in BY_PLURAL:
            items = [copy.deepcopy(found) for place, found in self.objects.items() if _is_in(place, path)]
            return {"items": items, "metadata": {"resourceVersion": "1"}}
        if method == "GET":
            if path not in self.objects:
                raise an_error(404, "NotFound", name=path.rpartition("/")[2])
            return copy.deepcopy(self.objects[path])
        self.writes.append(f"{method} {path.rpartition('/')[2]}")
        assert isinstance(body, Mapping)
        if method == "POST":
            self._store(f"{path}/{body['metadata']['name']}", body)
        elif method == "PUT":
            assert body["metadata"]["resourceVersion"] == self.objects[path]["metadata"]["resourceVersion"]
            self._store(path, body)
        else:
            assert body["preconditions"]["resourceVersion"] == self.objects[path]["metadata"]["resourceVersion"]
            del self.objects[path]
        return {}


def _is_in(place: str, collection: str) -> bool:
    root, _, plural = collection.rpartition("/")
    return place.startswith(root) and place.split("/")[-2] == plural


def an_error(status: int, reason: str, message: str = "", name: str = "") -> ApiError:
    return ApiError(status, json.dumps({"reason": reason, "message": message, "details": {"name": name}}).encode())


def a_round(server: Server, now: datetime = NOW) -> Outcome:
    server.writes.clear()
    return Rounds(server, operator="system:serviceaccount:x:clouddatamesh", now=lambda: now).run()


def admission_policies(server: Server) -> dict[str, Manifest]:
    return {f"{found['kind']} {found['metadata']['name']}": found for found in server.objects.values() if "Validating" in found["kind"]}


POLICY = a_policy("privacy", RULE)
NAME = name_of(key_of(POLICY))


def test_both_objects_are_made_once_the_policy_before_its_binding() -> None:
    server = Server(POLICY)
    a_round(server)
    assert server.writes == ["POST validatingadmissionpolicies", "POST validatingadmissionpolicybindings"]
    a_round(server)
    assert server.writes == []


NEW: Final = {**POLICY, "metadata": {**POLICY["metadata"], "generation": 1}}
FAILED: Final = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "Unknown", "reason": "InternalError"}]}


@pytest.mark.parametrize("status", [{}, FAILED], ids=["never", "in vain"])
def test_what_the_operator_has_not_looked_at_is_not_applied_and_what_was_before_stays(status: dict[str, Any]) -> None:
    """Only the operator compiles rules: one that is none must not deny everything until somebody is told."""
    server = Server({**NEW, "status": status})
    a_round(server)
    assert server.writes == []
    (place,) = (place for place in server.objects if "governancepolicies" in place)
    server.objects[place]["status"] = looked_at(NEW)
    a_round(server)
    assert server.writes == ["POST validatingadmissionpolicies", "POST validatingadmissionpolicybindings"]
    server.objects[place]["metadata"]["generation"] = 2
    server.objects[place]["spec"]["rules"][0]["expression"] = "false"
    a_round(server)
    assert server.writes == []
    server.objects[place]["spec"]["enforcement"] = "Audit"
    a_round(server)
    assert server.writes == [f"DELETE {NAME}", f"DELETE {NAME}"]


def test_a_bell_rings_when_the_operator_has_looked_at_a_policy() -> None:
    known: dict[Any, Any] = {}
    seen = {**NEW, "status": looked_at(NEW)}
    assert [is_news(known, {"type": "MODIFIED", "object": found}) for found in (NEW, NEW, seen, seen)] == [True, False, True, False]


def test_a_changed_policy_is_replaced_and_labels_of_others_stay() -> None:
    server = Server(POLICY)
    a_round(server)
    (path,) = (place for place in server.objects if place.endswith(f"/validatingadmissionpolicies/{NAME}"))
    live = server.objects[path]
    live["metadata"]["labels"]["team"] = "privacy"
    live["spec"]["matchConditions"].append({"name": "never", "expression": "false"})
    a_round(server)
    assert server.writes == [f"PUT {NAME}"]
    assert len(server.objects[path]["spec"]["matchConditions"]) == 3
    assert server.objects[path]["metadata"]["labels"]["team"] == "privacy"
    a_round(server)
    assert server.writes == []


@pytest.mark.parametrize("after", ["deleted", "Audit"])
def test_what_a_policy_left_is_removed_the_binding_first(after: str) -> None:
    server = Server(POLICY)
    a_round(server)
    if after == "deleted":
        del server.objects[f"/apis/clouddatamesh.dev/v1alpha1/governancepolicies/{POLICY['metadata']['name']}"]
    else:
        server.put(a_policy("privacy", RULE, enforcement="Audit"))
    a_round(server)
    assert server.writes == [f"DELETE {NAME}"] * 2
    assert admission_policies(server) == {}


@pytest.mark.parametrize("kind", ["governancepolicies", "domainpolicies", "policywaivers", "domains", "validatingadmissionpolicies"])
@pytest.mark.parametrize("error", [an_error(403, "Forbidden"), an_error(404, "NotFound"), an_error(410, "Expired"), Transient("", "gone")])
def test_on_an_incomplete_list_nothing_is_changed(kind: str, error: ApiError | MeshError) -> None:
    server = Server(POLICY, a_policy("other", RULE, namespace="sales"), a_domain("sales"))
    a_round(server)
    before = admission_policies(server)
    for place in [place for place in server.objects if "policies" in place and "admission" not in place]:
        del server.objects[place]
    server.refuse = lambda method, path: error if method == "GET" and path.endswith(f"/{kind}") else None
    with pytest.raises(MeshError):
        a_round(server)
    assert server.writes == []
    assert admission_policies(server) == before


def test_a_list_that_leaves_out_a_policy_that_exists_removes_nothing() -> None:
    """As one of a cache that is behind, or of something between: what is removed is read once more."""
    server = Server(POLICY)
    a_round(server)
    listing = server.request
    server.request = lambda method, path, **more: (  # type: ignore[method-assign]
        {"items": [], "metadata": {}} if path.endswith("/governancepolicies") else listing(method, path, **more)
    )
    outcome = a_round(server)
    assert server.writes == []
    assert outcome.failures == (f"{key_of(POLICY)} changed while it was read, so its admission policy is kept until the next round",) * 2


def test_a_policy_that_can_no_longer_be_rendered_keeps_what_was_applied() -> None:
    server = Server(POLICY)
    a_round(server)
    server.put(a_policy("privacy", {"private": "request.name == 'a'"}))
    assert a_round(server).failures == ()
    assert server.writes == []


def test_an_object_of_others_is_left(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(POLICY)
    theirs = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": NAME}, "spec": {}}
    server.put(theirs)
    a_round(server)
    assert server.writes == ["POST validatingadmissionpolicybindings"]
    assert "is left as it is: it exists and the gate program did not create it" in caplog.text


def test_a_copy_of_an_admission_policy_under_another_name_is_not_removed() -> None:
    server = Server(POLICY)
    a_round(server)
    found = next(found for found in admission_policies(server).values() if found["kind"] == "ValidatingAdmissionPolicy")
    server.put({**found, "metadata": {**found["metadata"], "name": "copied"}})
    a_round(server)
    assert server.writes == []


def test_what_the_api_server_refuses_is_told_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(POLICY, a_policy("b", RULE))
    # The binding of what was refused is not written: it would bind what was there before.
    refusals = iter([an_error(422, "Invalid", "compilation failed"), None, an_error(500, "InternalError", "etcd is away")])
    server.refuse = lambda method, _: next(refusals) if method == "POST" else None
    outcome = a_round(server)
    assert "compilation failed" in caplog.text
    assert [said.partition(" failed")[2] for said in outcome.failures] == [": etcd is away"]


def test_the_round_says_when_a_waiver_ends_and_the_next_one_counts_it_no_more() -> None:
    server = Server(POLICY, a_waiver(POLICY, "private", GOOD, "2026-06-02T00:00:00Z"))
    end = NOW + timedelta(days=1)
    assert a_round(server).until == end
    assert a_round(server, now=end).until is None
    assert server.writes == [f"PUT {NAME}"]


def test_a_round_is_good_until_a_waiver_ends_and_at_most_a_minute() -> None:
    ends: Iterator[datetime | None] = iter([None, NOW + timedelta(seconds=5), NOW + timedelta(days=1), NOW - timedelta(days=1)])
    loop = Loop(lambda: Outcome(next(ends), ()), now=lambda: NOW)
    assert [round(loop.once(), 1) for _ in range(4)] == [RESYNC, 5.0, RESYNC, 0.0]


def test_a_fault_of_the_program_ends_neither_it_nor_any_admission_policy() -> None:
    def rounds() -> Outcome:
        raise RecursionError

    loop = Loop(rounds, now=lambda: NOW)
    assert loop.once() == RESYNC / 6
    (said,) = loop.find_unready()
    assert "fault of its own" in said and "kept as it is" in said


def test_the_health_says_what_prevents_a_round() -> None:
    moment = iter([0.0, 1.0, 2.0, 1000.0])
    results: list[Outcome | MeshError] = [
        Transient("", "Listing Domain failed: HTTP 403"),
        Outcome(None, ("Applying a failed",)),
        Outcome(None, ()),
    ]

    def rounds() -> Outcome:
        found = results.pop(0)
        if isinstance(found, MeshError):
            raise found
        return found

    loop = Loop(rounds, now=lambda: NOW, monotonic=lambda: next(moment, 1000.0))
    said = [loop.find_unready()]
    for _ in range(3):
        loop.once()
        said.append(loop.find_unready())
    assert [bool(found) for found in said] == [True, True, True, False]
    assert "nothing is removed on an incomplete list" in said[1][0]
    assert loop.find_stuck() == ()


def test_a_loop_ends_when_it_is_told() -> None:
    loop = Loop(lambda: Outcome(None, ()), now=lambda: NOW)
    loop.end()
    loop.run()


class Events:
    """A watch that brings these, once."""

    def __init__(self, *events: Manifest, error: Exception | None = None) -> None:
        self._events, self._error = events, error

    def watch(self, path: str, *, seconds: int) -> Iterator[Manifest]:
        assert path.startswith("/apis/") and seconds
        yield from self._events
        if self._error is not None:
            raise self._error


def an_event(kind: str, generation: int, **more: Any) -> Manifest:
    return {"type": kind, "object": {"kind": "Domain", "metadata": {"name": "sales", "uid": "u", "generation": generation}, **more}}


def test_a_watch_rings_for_news_alone() -> None:
    rung: list[int] = []
    events = (
        an_event("ADDED", 1),
        an_event("MODIFIED", 1, status={"dataProducts": 3}),
        an_event("MODIFIED", 2),
        an_event("MODIFIED", 2, status={"namespaces": [{"name": "sales"}]}),
        an_event("DELETED", 2),
        {"type": "ERROR", "object": {"code": 410}},
        an_event("ADDED", 3),
    )
    Bells(Events(*events), ("Domain",), lambda: rung.append(1)).follow_once("Domain")
    assert len(rung) == 1 + 4


def test_a_watch_that_fails_is_opened_again() -> None:
    rung: list[int] = []
    bells = Bells(Events(error=Transient("", "broken off")), ("Domain",), lambda: rung.append(1))
    bells.end()
    bells.follow_once("Domain")
    assert rung == [1]
    assert bells.ended() == ()


def test_labels_are_news() -> None:
    known: dict[Any, Any] = {}
    plain, labelled = an_event("ADDED", 1), an_event("MODIFIED", 1)
    labelled["object"]["metadata"]["labels"] = {"tier": "gold"}
    assert [is_news(known, event) for event in (plain, plain, labelled, labelled)] == [True, False, True, False]


def test_settings_name_the_operator_by_its_account() -> None:
    assert read_settings({"POD_NAMESPACE": "mesh"}).operator == "system:serviceaccount:mesh:clouddatamesh"
    with pytest.raises(SettingsError, match="POD_NAMESPACE"):
        read_settings({})
