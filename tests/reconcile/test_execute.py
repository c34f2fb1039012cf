"""What one operation does: in which order keys begin and end, what is checked before a write, and what is forgotten after it."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model import operations as o
from clouddatamesh.model import store_operations as s
from clouddatamesh.model.bucket import Bucket, Statement
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import IssuedKey, Principal
from clouddatamesh.model.objects import Event, Key, key_of
from clouddatamesh.model.plan import Operation
from clouddatamesh.reconcile.execute import Executor, Target
from tests.support.manifests import a_domain, a_grant, a_product, a_request
from tests.support.mesh import START, Mesh

REQUEST: Final = key_of(a_request())


def a_mesh() -> Mesh:
    return Mesh().apply(a_domain("sales"), a_domain("inventory"), a_product("forecast", "inventory"), a_request(), a_grant())


def uid_of(mesh: Mesh, key: Key) -> str:
    return str(mesh.get(key.kind, key.name, key.namespace)["metadata"]["uid"])


def target(mesh: Mesh, **parts: Any) -> Target:
    return Target(**{"key": REQUEST, "uid": uid_of(mesh, REQUEST), "cluster": mesh.cluster, "write_record": print, "now": START, **parts})


def run(mesh: Mesh, operation: Operation, **parts: Any) -> None:
    Executor(target(mesh, **parts)).run(operation)


# Keys


class Noting:
    """Identities and a cluster that note what is asked of them."""

    def __init__(self, error: MeshError | None = None) -> None:
        self.told: list[str] = []
        self.error = error

    def create_key(self, _name: str) -> IssuedKey:
        self.told.append("create")
        return IssuedKey("new", "secret")

    def delete_key(self, _name: str, key_id: str) -> None:
        self.told.append(f"delete {key_id}")

    def put_policy(self, want: Principal) -> None:
        self.told.append(f"policy of {want.name}")

    def patch_secret(self, *_: Any) -> None:
        self._write()

    def create(self, _secret: Any) -> None:
        self._write()

    def _write(self) -> None:
        self.told.append("secret")
        if self.error is not None:
            raise self.error


SECRET: Final[dict[str, Any]] = {
    "kind": "Secret",
    "metadata": {"name": "orders-access", "namespace": "inventory", "annotations": {}, "labels": {}, "ownerReferences": []},
    "stringData": {},
    "type": "servicebinding.io/s3",
}


def noted(operation: Operation, error: MeshError | None = None) -> list[str]:
    noting: Any = Noting(error)
    with suppress(MeshError):
        run(a_mesh(), operation, identities=noting, cluster=noting)
    return list(noting.told)


@pytest.mark.parametrize(
    ("surplus", "uid", "keeps", "told"),
    [
        ((), "", "", ["create", "secret"]),
        ((), "uid-1", "", ["create", "secret"]),
        (("a",), "uid-1", "", ["create", "secret", "delete a"]),
        (("a", "b"), "uid-1", "", ["delete a", "create", "secret", "delete b"]),
        (("a",), "uid-1", "kept", ["delete a", "create", "secret"]),
        (("a",), "", "", ["delete a", "create", "secret"]),
        (("a", "b"), "", "", ["delete a", "delete b", "create", "secret"]),
    ],
    ids=[
        "the first",
        "of an empty Secret",
        "one more",
        "two more, one too many",
        "one more, another is kept",
        "no Secret has it",
        "nor these",
    ],
)
def test_a_key_works_in_a_secret_before_the_former_ends(surplus: tuple[str, ...], uid: str, keeps: str, told: list[str]) -> None:
    """A user has two keys at most; a key that no Secret holds is of use to nobody and goes first."""
    assert noted(s.ReplaceKey("user", SECRET, uid, surplus, keeps)) == told


@pytest.mark.parametrize(
    ("error", "ends"),
    [(Terminal(reasons.ADMISSION_REFUSED, "denied"), True), (Transient(reasons.CLUSTER_UNAVAILABLE, "no answer"), False)],
    ids=["refused", "unanswered"],
)
def test_a_key_that_no_secret_took_ends_at_once(error: MeshError, ends: bool) -> None:
    assert noted(s.RotateKey("user", SECRET, "uid-1"), error) == ["create", "secret", *(["delete new"] if ends else [])]


READ: Final = Statement("Read", "Allow", ("s3:GetObject",), ("arn:aws:s3:::acme-orders/daily/*",))


@pytest.mark.parametrize(
    ("policy", "sent"),
    [((READ,), True), ((replace(READ, resources=("arn:aws:s3:::*",)),), False)],
    ids=["what was granted", "every bucket"],
)
def test_a_policy_that_gives_more_than_was_planned_is_not_sent(policy: tuple[Statement, ...], sent: bool) -> None:
    put = s.PutPolicy(Principal("user", "/", policy=policy), "acme-orders", "daily/", "ReadOnly")
    noting: Any = Noting()
    if not sent:
        with pytest.raises(Terminal, match="A policy was not sent: ") as told:
            run(a_mesh(), put, identities=noting)
        assert told.value.reason == reasons.INTERNAL
    else:
        run(a_mesh(), put, identities=noting)
    assert noting.told == (["policy of user"] if sent else [])


# Buckets

TAGS: Final = (("clouddatamesh.dev/mesh", "acme"),)


class Bucketful:
    """A store with one bucket that has these tags; notes what is written."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def observe_marks(self, name: str) -> Present[Bucket]:
        return Present(Bucket(name, tags=TAGS))

    def update(self, _want: Bucket, delta: tuple[str, ...]) -> None:
        self.told += delta

    def empty(self, name: str) -> str:
        self.told.append(f"empty {name}")
        return "" if len(self.told) > 2 else "a"

    def delete(self, name: str) -> None:
        self.told.append(f"delete {name}")

    def check(self, empties: bool) -> None:
        self.told.append("may be emptied" if empties else "may be deleted")


@pytest.mark.parametrize(
    ("seen", "told"), [(None, ["tags"]), (TAGS, ["tags"]), ((), [])], ids=["not compared", "as they were seen", "changed since"]
)
def test_tags_are_written_only_where_they_are_as_they_were_seen(seen: Any, told: list[str]) -> None:
    store: Any = Bucketful()
    with suppress(Transient):
        run(a_mesh(), s.UpdateBucket(Bucket("acme-orders"), "tags", seen), buckets=store)
    assert store.told == told


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (s.CheckDestruction("b"), ["may be deleted"]),
        (s.CheckDestruction("b", empties=True), ["may be emptied"]),
        (s.EmptyBucket("b"), ["may be emptied", "empty b", "may be emptied", "empty b"]),
        (s.DeleteBucket("b"), ["may be deleted", "delete b"]),
    ],
    ids=["check deletion", "check emptying", "empty", "delete"],
)
def test_before_anything_is_destroyed_it_is_asked_whether_exactly_that_is_allowed(operation: Operation, told: list[str]) -> None:
    store: Any = Bucketful()
    run(a_mesh(), operation, buckets=store, check_destruction=store.check)
    assert store.told == told


def test_without_a_word_on_destruction_nothing_is_destroyed() -> None:
    store: Any = Bucketful()
    for operation in (s.EmptyBucket("b"), s.DeleteBucket("b")):
        with pytest.raises(Terminal, match="may be destroyed"):
            run(a_mesh(), operation, buckets=store)
    assert store.told == []


# What is forgotten

USER, BUCKET = ("principal", "user"), ("bucket", "acme-orders")


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        (s.UpdateBucket(Bucket("acme-orders"), "versioning"), {USER}),
        (s.UpdateBucket(Bucket("acme-orders"), "tags", ()), {USER}),
        (s.DeleteKey("user", "AKIA1"), {BUCKET}),
        (o.Announce(Event("Normal", "Given", "Access is given")), {USER, BUCKET}),
    ],
    ids=["a bucket is written", "a bucket that changed is not written", "a user is written", "the store is not written"],
)
def test_what_was_seen_before_a_write_is_seen_again_after_it(operation: Operation, left: set[tuple[str, str]]) -> None:
    noting: Any = Noting()
    looks: dict[tuple[str, str], Any] = {USER: "seen", BUCKET: "seen"}
    store: Any = Bucketful()
    with suppress(Transient):
        run(a_mesh(), operation, buckets=store, identities=noting, looks=looks)
    assert set(looks) == left
