"""What others do to buckets, users and stores: each is done by a function that answers how it is set right again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model.bucket import Statement
from clouddatamesh.model.identity import Principal
from clouddatamesh.plan import marks, names
from clouddatamesh.storage.memory import MemoryStore
from tests.reconcile.causes_in_cluster import Repair, nothing
from tests.reconcile.flows import ENDPOINT
from tests.support.manifests import CREDENTIALS, a_store
from tests.support.mesh import Mesh


def _store(mesh: Mesh) -> MemoryStore:
    return mesh.stores.at(ENDPOINT)


# Buckets


def change_bucket(**settings: Any) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        held = _store(mesh).buckets[mesh.bucket_of()]
        held.bucket = replace(held.bucket, **settings)
        return nothing

    return cause


def retag(*, witness: bool, **tags: str) -> Callable[[Mesh], Repair]:
    """Other tags instead of ours, until somebody puts ours back."""

    def cause(mesh: Mesh) -> Repair:
        held = _store(mesh).buckets[mesh.bucket_of()]
        before = held.bucket
        given = tuple(sorted((f"{marks.GROUP}/{name}", value) for name, value in tags.items()))
        held.bucket = replace(before, tags=given, lifecycle=before.lifecycle if witness else ())

        def repair() -> None:
            held.bucket = replace(held.bucket, tags=before.tags)

        return repair

    return cause


def consent(mesh: Mesh) -> Repair:
    held = _store(mesh).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=(), lifecycle=())

    def repair() -> None:
        held.bucket = replace(held.bucket, tags=((marks.ADOPT_TAG, "acme/sales/orders"),))

    return repair


def lose_bucket(name: Callable[[Mesh], str]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        store, lost = _store(mesh), name(mesh)
        held = store.buckets.pop(lost)
        return lambda: store.buckets.__setitem__(lost, held)

    return cause


def lose_bucket_to_a_stranger(mesh: Mesh) -> Repair:
    store, name = _store(mesh), mesh.bucket_of()
    held = store.buckets.pop(name)
    store.foreign_buckets.add(name)

    def repair() -> None:
        store.foreign_buckets.discard(name)
        store.buckets[name] = held

    return repair


def mesh_bucket(mesh: Mesh) -> str:
    return names.mesh_bucket_name("acme", mesh.settings.mesh)


def refuse(*verbs: str, all_buckets: bool = False) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        _store(mesh).refuse(*verbs, name="" if all_buckets else mesh.bucket_of())
        return lambda: _store(mesh).allow(*verbs)

    return cause


# Users


def producer(mesh: Mesh) -> str:
    return str(mesh.product()["status"]["producer"]["principal"])


def change_user(of: Callable[[Mesh], str], change: Callable[[Principal], Principal]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        store = _store(mesh)
        name = of(mesh)
        store.users[name] = change(store.users[name])
        return nothing

    return cause


def wider(user: Principal) -> Principal:
    return replace(user, policy=(Statement("Wide", "Allow", ("s3:*",), ("arn:aws:s3:::*",)),))


def without_active_keys(user: Principal) -> Principal:
    return replace(user, keys=tuple(replace(key, active=False) for key in user.keys))


def lose_user(of: Callable[[Mesh], str]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        del _store(mesh).users[of(mesh)]
        return nothing

    return cause


def replace_user(mesh: Mesh) -> Repair:
    """Somebody's own user has the name of ours."""
    store, name = _store(mesh), producer(mesh)
    store.users[name] = Principal(name, "/theirs/")
    return lambda: store.users.pop(name, None)


def full_account(mesh: Mesh) -> Repair:
    """The producer's user is gone, and the account takes no more."""
    del _store(mesh).users[producer(mesh)]
    return _refuse_writes(mesh, "create user", Transient(reasons.LIMIT_EXCEEDED, "CreateUser failed: LimitExceeded"))


def _refuse_writes(mesh: Mesh, verb: str, error: MeshError) -> Repair:
    before = mesh.stores.before_write
    going = [True]

    def hook(what: str) -> None:
        if going[0] and what.startswith(verb):
            raise error
        before(what)

    mesh.stores.before_write = hook
    return lambda: going.__setitem__(0, False)


# Whole stores


def go_down(mesh: Mesh) -> Repair:
    _store(mesh).down = True
    return lambda: setattr(_store(mesh), "down", False)


def lose_credentials(mesh: Mesh) -> Repair:
    root = _store(mesh).root
    mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": "wrong", "secret-access-key": "wrong"})
    return lambda: mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": root.id, "secret-access-key": root.secret})


def switch_account(mesh: Mesh) -> Repair:
    store = _store(mesh)
    before = store.account
    store.switch_account("other")
    return lambda: store.switch_account(before)


def swap_store(mesh: Mesh) -> Repair:
    """An empty store answers at the same endpoint, with the same keys and the same account."""
    store = _store(mesh)
    before = store.buckets, store.users
    store.buckets, store.users = {}, {}

    def repair() -> None:
        store.buckets, store.users = before

    return repair


def move_endpoint(mesh: Mesh) -> Repair:
    other = mesh.stores.at("https://other.test")
    other.root, other.account = _store(mesh).root, _store(mesh).account
    mesh.apply(a_store(endpointUrl="https://other.test"))
    return lambda: mesh.apply(a_store())


def move_iam_endpoint(mesh: Mesh) -> Repair:
    """Buckets are where they were, and users are asked for in an empty place."""
    other = mesh.stores.at("https://iam.test")
    other.root, other.account = _store(mesh).root, _store(mesh).account
    mesh.apply(a_store(iamEndpointUrl="https://iam.test"))
    return lambda: mesh.apply(a_store())


def lose_ability(mesh: Mesh) -> Repair:
    """A store that can do less, and is asked at once."""
    before = _store(mesh).unsupported
    _store(mesh).unsupported = frozenset({"Encryption", "Versioning"})
    mesh.apply(a_store(baseline={"encryption": "Required"}))

    def repair() -> None:
        _store(mesh).unsupported = before
        mesh.apply(a_store())

    return repair


def store_id(mesh: Mesh) -> str:
    """By which the store of the tests is known again."""
    return str(mesh.get("ObjectStore", "main")["status"]["storeId"])


def cluster_uid(mesh: Mesh) -> str:
    return str(mesh.get("Namespace", "kube-system")["metadata"]["uid"])
