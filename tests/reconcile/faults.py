"""What goes wrong around a running mesh, and how it is set right again: each fault of the law `repaired`, with its repair."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal, Transient
from clouddatamesh.model.bucket import Statement
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.plan import marks, names
from clouddatamesh.storage.memory import MemoryStore
from tests.reconcile.access_flows import REQUEST, a_port, principal
from tests.reconcile.flows import ENDPOINT, limited
from tests.support.manifests import CREDENTIALS, a_domain, a_grant, a_product, a_request, a_store
from tests.support.mesh import Mesh

PRODUCER_SECRET: Final = Key("Secret", "sales", "orders-producer")
GRANT: Final = Key("AccessGrant", "sales", "inventory-forecast")
PRODUCT: Final = Key("DataProduct", "sales", "orders")
ACCESS_SECRET: Final = Key("Secret", "inventory", "orders-access")
Repair = Callable[[], object]


@dataclass(frozen=True)
class Fault:
    """`cause` does it and answers what repairs it. Faults that are `on` the same thing are not combined."""

    name: str
    on: str
    cause: Callable[[Mesh], Repair]


def a_mesh() -> Mesh:
    """Two domains, two products, a request in effect; sales has limits."""
    mesh = Mesh().apply(a_store(), a_domain("sales", resources=limited()), a_domain("inventory")).settle()
    mesh.apply(a_product(outputPorts=[a_port()]), a_product("forecast", "inventory"), a_request(), a_grant()).settle()
    mesh.stores.at(ENDPOINT).put_object(mesh.bucket_of(), count=3)
    return mesh


def nothing() -> None:
    """What the operator repairs by itself."""


def _store(mesh: Mesh) -> MemoryStore:
    return mesh.stores.at(ENDPOINT)


# Buckets


def _change_bucket(**settings: Any) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        held = _store(mesh).buckets[mesh.bucket_of()]
        held.bucket = replace(held.bucket, **settings)
        return nothing

    return cause


def _retag(*, witness: bool, **tags: str) -> Callable[[Mesh], Repair]:
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


def _consent(mesh: Mesh) -> Repair:
    held = _store(mesh).buckets[mesh.bucket_of()]
    held.bucket = replace(held.bucket, tags=(), lifecycle=())

    def repair() -> None:
        held.bucket = replace(held.bucket, tags=((marks.ADOPT_TAG, "acme/sales/orders"),))

    return repair


def _lose_bucket(name: Callable[[Mesh], str]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        store, lost = _store(mesh), name(mesh)
        held = store.buckets.pop(lost)
        return lambda: store.buckets.__setitem__(lost, held)

    return cause


def _lose_bucket_to_a_stranger(mesh: Mesh) -> Repair:
    store, name = _store(mesh), mesh.bucket_of()
    held = store.buckets.pop(name)
    store.foreign_buckets.add(name)

    def repair() -> None:
        store.foreign_buckets.discard(name)
        store.buckets[name] = held

    return repair


def _mesh_bucket(mesh: Mesh) -> str:
    return names.mesh_bucket_name("acme", mesh.settings.mesh)


def _refuse(*verbs: str, all_buckets: bool = False) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        _store(mesh).refuse(*verbs, name="" if all_buckets else mesh.bucket_of())
        return lambda: _store(mesh).allow(*verbs)

    return cause


# Users


def producer(mesh: Mesh) -> str:
    return str(mesh.product()["status"]["producer"]["principal"])


def _change_user(of: Callable[[Mesh], str], change: Callable[[Principal], Principal]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        store = _store(mesh)
        name = of(mesh)
        store.users[name] = change(store.users[name])
        return nothing

    return cause


def _wider(user: Principal) -> Principal:
    return replace(user, policy=(Statement("Wide", "Allow", ("s3:*",), ("arn:aws:s3:::*",)),))


def _without_active_keys(user: Principal) -> Principal:
    return replace(user, keys=tuple(replace(key, active=False) for key in user.keys))


def _lose_user(of: Callable[[Mesh], str]) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        del _store(mesh).users[of(mesh)]
        return nothing

    return cause


def _replace_user(mesh: Mesh) -> Repair:
    """Somebody's own user has the name of ours."""
    store, name = _store(mesh), producer(mesh)
    store.users[name] = Principal(name, "/theirs/")
    return lambda: store.users.pop(name, None)


def _full_account(mesh: Mesh) -> Repair:
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


# Secrets and other objects


def _lose_object(key: Key) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key) if mesh.cluster.raw(key) else None
        mesh.cluster.user_delete(key)
        return nothing

    return cause


def _write_into(key: Key, **data: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        found = dict(mesh.cluster.raw(key) or {})
        mesh.cluster.user_apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": found["metadata"], "type": found["type"], "stringData": data}
        )
        return nothing

    return cause


def _hold(key: Key) -> Callable[[Mesh], Repair]:
    """Deleted, and held by a finalizer of somebody else."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key, "example.com/held")
        mesh.cluster.user_delete(key)
        return lambda: mesh.cluster.user_finalize(key) if mesh.cluster.raw(key) else None

    return cause


def _usurp(key: Key) -> Callable[[Mesh], Repair]:
    """Somebody's own Secret takes the name."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_delete(key)
        metadata = {"name": key.name, "namespace": key.namespace}
        mesh.cluster.user_apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "theirs"}})
        return lambda: mesh.cluster.user_delete(key)

    return cause


def _refuse_creates(kind: str, lost: Key, reason: str) -> Callable[[Mesh], Repair]:
    """An object is lost, and a quota or an admission policy refuses the new one."""

    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_delete(lost)
        before = mesh.cluster.before_write
        going = [True]

        def hook(verb: str, key: Key) -> None:
            if going[0] and (verb, key.kind) == ("create", kind):
                raise Terminal(reason, f"Creating {key} failed: refused")
            before(verb, key)

        mesh.cluster.before_write = hook
        return lambda: going.__setitem__(0, False)

    return cause


def _unhold(key: Key) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_finalize(key)
        return nothing

    return cause


def _binding() -> Key:
    return Key("RoleBinding", "sales", "clouddatamesh-owners")


def _edit(key: Key, **parts: Any) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.user_apply({**dict(mesh.cluster.raw(key) or {}), **parts})
        return nothing

    return cause


def _relabel(key: Key, label: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.strip(key, label=label)
        return nothing

    return cause


# Stores, clock, cluster


def _go_down(mesh: Mesh) -> Repair:
    _store(mesh).down = True
    return lambda: setattr(_store(mesh), "down", False)


def _lose_credentials(mesh: Mesh) -> Repair:
    root = _store(mesh).root
    mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": "wrong", "secret-access-key": "wrong"})
    return lambda: mesh.cluster.put_own_secret(CREDENTIALS, {"access-key-id": root.id, "secret-access-key": root.secret})


def _switch_account(mesh: Mesh) -> Repair:
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


def _move_endpoint(mesh: Mesh) -> Repair:
    other = mesh.stores.at("https://other.test")
    other.root, other.account = _store(mesh).root, _store(mesh).account
    mesh.apply(a_store(endpointUrl="https://other.test"))
    return lambda: mesh.apply(a_store())


def _move_iam_endpoint(mesh: Mesh) -> Repair:
    """Buckets are where they were, and users are asked for in an empty place."""
    other = mesh.stores.at("https://iam.test")
    other.root, other.account = _store(mesh).root, _store(mesh).account
    mesh.apply(a_store(iamEndpointUrl="https://iam.test"))
    return lambda: mesh.apply(a_store())


def _lose_ability(mesh: Mesh) -> Repair:
    """A store that can do less, and is asked at once."""
    before = _store(mesh).unsupported
    _store(mesh).unsupported = frozenset({"Encryption", "Versioning"})
    mesh.apply(a_store(baseline={"encryption": "Required"}))

    def repair() -> None:
        _store(mesh).unsupported = before
        mesh.apply(a_store())

    return repair


def _lose_status(key: Key) -> Callable[[Mesh], Repair]:
    """As a backup restores it."""

    def cause(mesh: Mesh) -> Repair:
        found = mesh.cluster.raw(key)
        mesh.cluster.write_status(key, str(found and found["metadata"]["uid"]), {"observedGeneration": -1})
        return nothing

    return cause


def _distrust_clock(mesh: Mesh) -> Repair:
    mesh.clock.trusted = False
    return lambda: setattr(mesh.clock, "trusted", True)


def _blind(*kinds: str) -> Callable[[Mesh], Repair]:
    def cause(mesh: Mesh) -> Repair:
        mesh.cluster.unreadable |= set(kinds)
        return mesh.cluster.unreadable.clear

    return cause


FAULTS: Final = (
    Fault("the bucket is public", "bucket", _change_bucket(public_access_blocked=False, policy=(), encryption=None)),
    Fault("the bucket's tags are gone", "bucket", _retag(witness=True)),
    Fault("the bucket's tags and witness are gone", "bucket", _retag(witness=False)),
    Fault("the bucket's marks are gone and consent comes", "bucket", _consent),
    Fault("the bucket carries another's marks", "bucket", _retag(witness=True, mesh="acme", namespace="hr", name="other", uid="uid-other")),
    Fault("the bucket is let go and kept after all", "bucket", _retag(witness=True, released="sales/orders")),
    Fault("the bucket is lost and restored", "bucket", _lose_bucket(Mesh.bucket_of)),
    Fault("the bucket is a stranger's for a while", "bucket", _lose_bucket_to_a_stranger),
    Fault("the bucket's tags are refused", "bucket", _refuse("observe")),
    Fault("a setting of the bucket is refused", "bucket", _refuse("observe Encryption")),
    Fault("all buckets are refused", "bucket", _refuse("observe", all_buckets=True)),
    Fault("neither buckets nor their list are answered", "bucket", _refuse("observe", "list buckets", all_buckets=True)),
    Fault("the mesh's bucket is lost and restored", "mesh bucket", _lose_bucket(_mesh_bucket)),
    Fault("the marker is gone", "marker", _lose_user(lambda m: names.marker_name(m.settings.mesh, _cluster_uid(m)))),
    Fault("the producer's policy is deleted", "producer", _change_user(producer, lambda user: replace(user, policy=None))),
    Fault("the producer's policy is wider", "producer", _change_user(producer, _wider)),
    Fault("the producer's keys are deleted", "producer", _change_user(producer, lambda user: replace(user, keys=()))),
    Fault("the producer's keys are disabled", "producer", _change_user(producer, _without_active_keys)),
    Fault("the producer has more policies and a group", "producer",
          _change_user(producer, lambda user: replace(user, other_policies=("x",), attached=("arn:aws:iam::aws:policy/X",), groups=("g",)))),
    Fault("the producer's user is deleted", "producer", _lose_user(producer)),
    Fault("the producer's user is somebody's for a while", "producer", _replace_user),
    Fault("the producer's user is deleted and the account full", "producer", _full_account),
    Fault("the consumer's policy is deleted", "consumer", _change_user(principal, lambda user: replace(user, policy=None))),
    Fault("the consumer's policy is wider", "consumer", _change_user(principal, _wider)),
    Fault("the consumer's keys are deleted", "consumer", _change_user(principal, lambda user: replace(user, keys=()))),
    Fault("the consumer's user is deleted", "consumer", _lose_user(principal)),
    Fault("the producer's Secret is deleted", "producer secret", _lose_object(PRODUCER_SECRET)),
    Fault("the producer's Secret is edited", "producer secret", _write_into(PRODUCER_SECRET, **{"secret-access-key": "theirs"})),
    Fault("the producer's Secret says another bucket", "producer secret", _write_into(PRODUCER_SECRET, bucket="theirs")),
    Fault("the producer's Secret is held while it goes", "producer secret", _hold(PRODUCER_SECRET)),
    Fault("the producer's Secret is somebody's for a while", "producer secret", _usurp(PRODUCER_SECRET)),
    Fault("a quota refuses the producer's Secret", "producer secret",
          _refuse_creates("Secret", PRODUCER_SECRET, reasons.LIMIT_EXCEEDED)),
    Fault("the consumer's Secret is deleted", "consumer secret", _lose_object(ACCESS_SECRET)),
    Fault("the consumer's Secret is edited", "consumer secret", _write_into(ACCESS_SECRET, **{"access-key-id": "theirs"})),
    Fault("the consumer's Secret is held while it goes", "consumer secret", _hold(ACCESS_SECRET)),
    Fault("the consumer's Secret is somebody's for a while", "consumer secret", _usurp(ACCESS_SECRET)),
    Fault("an admission policy refuses the consumer's Secret", "consumer secret",
          _refuse_creates("Secret", ACCESS_SECRET, reasons.ADMISSION_REFUSED)),
    Fault("Secrets cannot be read", "reads", _blind("Secret")),
    Fault("a binding is deleted", "binding", _lose_object(_binding())),
    Fault("a binding is edited", "binding", _edit(_binding(), subjects=[])),
    Fault("a binding's role is another", "binding", _edit(_binding(), roleRef={"kind": "ClusterRole", "name": "view"})),
    Fault("a binding loses our label", "binding", _relabel(_binding(), marks.MANAGED_LABEL)),
    Fault("a binding loses its domain's label", "binding", _relabel(_binding(), marks.DOMAIN_LABEL)),
    Fault("an admission policy refuses a binding", "binding",
          _refuse_creates("RoleBinding", _binding(), reasons.ADMISSION_REFUSED)),
    Fault("the inbox is deleted", "inbox", _lose_object(Key("AccessInbox", "sales", "orders"))),
    Fault("the namespace loses its domain's label", "namespace", _relabel(Key("Namespace", "", "sales"), marks.DOMAIN_LABEL)),
    Fault("the request loses our finalizer", "request", _unhold(REQUEST)),
    Fault("the grant loses our finalizer", "grant", _unhold(GRANT)),
    Fault("the product loses our finalizer", "product", _unhold(PRODUCT)),
    Fault("the store does not answer", "store", _go_down),
    Fault("the credentials are wrong", "store", _lose_credentials),
    Fault("another account answers", "store", _switch_account),
    Fault("an empty store answers", "store", swap_store),
    Fault("the endpoint is another for a while", "store", _move_endpoint),
    Fault("the IAM endpoint is another for a while", "store", _move_iam_endpoint),
    Fault("the store can do less for a while", "store", _lose_ability),
    Fault("the request's status is lost", "request", _lose_status(REQUEST)),
    Fault("the grant's status is lost", "grant", _lose_status(GRANT)),
    Fault("the product's status is lost", "product", _lose_status(PRODUCT)),
    Fault("the store's status is lost", "store", _lose_status(Key("ObjectStore", "", "main"))),
    Fault("a domain's status is lost", "domain", _lose_status(Key("Domain", "", "sales"))),
    Fault("a domain loses our finalizer", "domain", _unhold(Key("Domain", "", "sales"))),
    Fault("the store loses our finalizer", "store", _unhold(Key("ObjectStore", "", "main"))),
    Fault("the clock is not trusted", "clock", _distrust_clock),
)  # fmt: skip


def _cluster_uid(mesh: Mesh) -> str:
    return str(mesh.get("Namespace", "kube-system")["metadata"]["uid"])
