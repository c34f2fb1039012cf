"""What is in a store and belongs to no object: users below the mesh's path, and buckets with the mesh's marks. Reported, never removed.

Read only where it is asked for, by the store's own credentials.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Final

from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.doctor.findings import Checked, Finding, Result, Unchecked
from clouddatamesh.doctor.reading import NotAllowed
from clouddatamesh.doctor.subject import Subject
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.kube.resources import RESOURCES, collection, path
from clouddatamesh.kube.secrets import decode
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.identity import Connection
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.words import some
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.references import BUCKET, PRINCIPAL, references
from clouddatamesh.reconcile.owners import OWNERS
from clouddatamesh.reconcile.parse import read_leniently
from clouddatamesh.reconcile.places import connection_of
from clouddatamesh.storage.clients import BotoStores

CHECK: Final = "orphans"
_SHOWN: Final = 10
_BUCKETS: Final = 200
"""Of so many buckets of a store that no product records the tags are read."""
_OWNERS: Final = 1_000_000
"""Of so many products and requests the names are kept."""


@dataclass
class Owners:
    """What objects of the mesh have in stores, or may get there: names only."""

    mesh: str
    cluster: str
    principals: set[str] = field(default_factory=set)
    buckets: set[str] = field(default_factory=set)
    products: set[str] = field(default_factory=set)
    """Their uids."""
    living: set[tuple[str, str]] = field(default_factory=set)
    """Namespaces and names of products."""

    def take(self, kind: str, found: Manifest) -> None:
        """One product or request. The names that are to be count as well: something may be in the making."""
        key = Key(kind, found["metadata"]["namespace"], found["metadata"]["name"])
        self.principals |= {names.principal_name(self.mesh, self.cluster, key), names.former_principal_name(self.mesh, key)}
        for named in references({**found, "kind": kind}):
            if named.kind == PRINCIPAL:
                self.principals.add(named.name)
            elif named.kind == BUCKET:
                self.buckets.add(named.name)
        if kind == "DataProduct":
            self.products.add(str(found["metadata"].get("uid")))
            self.living.add((key.namespace, key.name))


@dataclass(frozen=True)
class Users:
    """Names of users below the mesh's path: those of this cluster, and those of others."""

    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnSecrets:
    """Secrets of the operator's namespace, for a connection."""

    subject: Subject

    def get_own_secret(self, name: str) -> Mapping[str, str] | None:
        """The decoded data of one."""
        found = self.subject.reader.get(path(Key("Secret", self.subject.namespace, name)))
        return None if found is None else {key: decode(value) for key, value in (found.get("data") or {}).items()}


def look(subject: Subject) -> Iterator[Result]:
    """Every ObjectStore."""
    system = subject.reader.get("/api/v1/namespaces/kube-system")
    if system is None or not subject.mesh:
        missing = "the name of the mesh is not known; give it by --mesh" if system else "Namespace kube-system does not exist"
        yield Unchecked(check=CHECK, what="users and buckets in the stores", missing=missing)
        return
    cluster = str(system["metadata"]["uid"])
    search = _Search(subject, _owners(subject, cluster))
    for manifest in subject.reader.pages(collection("ObjectStore")):
        yield from search.look({"apiVersion": RESOURCES["ObjectStore"].api_version, "kind": "ObjectStore", **manifest})
    owners = _owners(subject, cluster) if search.held else Owners(subject.mesh, cluster)
    for held in search.held:
        yield from judge_users(held.store, held.users, owners)
        yield from judge_buckets(held.store, held.buckets, owners)


def _owners(subject: Subject, cluster: str) -> Owners:
    """Of all products and requests. What is in a store is judged by those that are there after it was read: it may be new."""
    owners = Owners(subject.mesh, cluster)
    for kind in OWNERS:
        for found in subject.reader.pages(collection(kind)):
            owners.take(kind, found)
            if len(owners.principals) > _OWNERS:
                raise Transient("", f"There are more than {_OWNERS // 2} products and requests")
    return owners


@dataclass(frozen=True)
class _Held:
    """What a store holds that nobody owned when it was read."""

    store: str
    users: Users
    buckets: tuple[Bucket, ...]


class _Search:
    """Reads the stores, one after the other. `held` are those in which something is without an owner."""

    def __init__(self, subject: Subject, owners: Owners) -> None:
        self._subject, self._owners, self._stores = subject, owners, BotoStores()
        self.held: list[_Held] = []

    def look(self, manifest: Manifest) -> Iterator[Result]:
        """One store; what it refuses is reported as not checked."""
        name = manifest["metadata"]["name"]
        what = f"users and buckets in ObjectStore {name}"
        try:
            store = read_leniently(ObjectStore, manifest)
            if store.spec.credentials_secret_ref is None and not self._subject.is_operator:
                missing = "it uses the operator's workload identity; run doctor in the Pod"
                yield Unchecked(check=CHECK, what=what, missing=missing)
                return
            connection = connection_of(store, OwnSecrets(self._subject))
            users = self._read_users(connection)
            yield from self._look_at_buckets(name, f"{store.spec.bucket_prefix}-", connection, users)
        except NotAllowed as refused:
            by_design = self._subject.is_by_design(refused.need)
            yield Unchecked(check=CHECK, what=what, missing=str(refused), by_design=by_design)
        except MeshError as error:
            yield Unchecked(check=CHECK, what=what, missing=error.message)

    def _read_users(self, connection: Connection) -> Users:
        self._subject.reader.check_time()
        identities, owners = self._stores.identities(connection), self._owners
        own = set(identities.list(names.principal_path(owners.mesh, owners.cluster)))
        listed = identities.list(names.mesh_path(owners.mesh))
        every = {user for user in listed if not names.is_marker_name(user) and user not in owners.principals}
        return Users(tuple(sorted(every & own)), tuple(sorted(every - own)))

    def _look_at_buckets(self, name: str, prefix: str, connection: Connection, users: Users) -> Iterator[Result]:
        buckets, path_of = self._stores.buckets(connection), names.mesh_path(self._owners.mesh)
        unknown = [bucket for bucket in buckets.list(prefix) if bucket not in self._owners.buckets]
        found: list[Bucket] = []
        for bucket in unknown[:_BUCKETS]:
            self._subject.reader.check_time()
            seen = buckets.observe_marks(bucket)
            found += [seen.value] if isinstance(seen, Present) else []
        if found or users != Users():
            self.held.append(_Held(name, users, tuple(found)))
        if len(unknown) > _BUCKETS:
            what = f"{len(unknown) - _BUCKETS} buckets in ObjectStore {name} that no product records"
            yield Unchecked(check=CHECK, what=what, missing=f"only the first {_BUCKETS} are read")
        yield Checked(check=CHECK, what=f"ObjectStore {name}: users below {path_of}, and buckets {prefix}* that no product records")


def judge_users(store: str, users: Users, owners: Owners) -> Iterator[Finding]:
    """Users of this cluster without an owner, and users of other clusters."""
    path_of = names.principal_path(owners.mesh, owners.cluster)
    orphaned = [user for user in users.own if user not in owners.principals]
    if orphaned:
        yield Finding(
            check=CHECK,
            object=f"ObjectStore {store}",
            what=f"{len(orphaned)} users below {path_of} belong to no object: {some(orphaned, _SHOWN)}",
            why="Their keys may still work. A running operator disables up to 20 after five minutes and removes them a minute later",
            do=(
                f"Apply the objects they belong to, or let the operator remove them; by hand for each: aws iam list-access-keys --user-name"
                f" {quote(orphaned[0])}, then docs/operations/break-glass.md, Clean up in the store"
            ),
        )
    others = [user for user in users.others if user not in owners.principals]
    if others:
        yield Finding(
            check=CHECK,
            object=f"ObjectStore {store}",
            what=f"{len(others)} users below {names.mesh_path(owners.mesh)} are of other clusters: {some(others, _SHOWN)}",
            why="They belong to a living cluster with the same mesh, or to a lost one whose users nobody ends",
            do="If that cluster is lost, add the UID of its kube-system to spec.takeOverFrom; docs/operations/rebuild.md",
            level="Remark",
        )


def judge_buckets(store: str, found: Iterable[Bucket], owners: Owners) -> Iterator[Finding]:
    """Buckets with the marks of this mesh in this cluster whose product is gone. Their data is kept on purpose, so it is a remark."""
    gone = []
    for bucket in found:
        tags = dict(bucket.tags)
        is_ours = tags.get(marks.MESH_TAG) == owners.mesh and tags.get(marks.CLUSTER_TAG) == owners.cluster
        if is_ours and marks.UID_TAG in tags and tags[marks.UID_TAG] not in owners.products and _product_of(tags) not in owners.living:
            gone.append(f"{bucket.name} ({tags.get(marks.NAMESPACE_TAG)}/{tags.get(marks.NAME_TAG)})")
    if gone:
        first = quote("s3://" + gone[0].partition(" ")[0])
        yield Finding(
            check=CHECK,
            object=f"ObjectStore {store}",
            what=f"{len(gone)} buckets carry the marks of products that do not exist: {some(gone, _SHOWN)}",
            why="deletionPolicy Retain keeps data; a product of the same name and namespace takes its bucket back",
            do=f"Apply the product again; or delete the bucket by hand if nobody needs what is in it: aws s3 ls {first} --recursive",
            level="Remark",
        )


def _product_of(tags: Mapping[str, str]) -> tuple[str, str]:
    """A product that was made again or restored has another uid, and takes the bucket of its name back."""
    return tags.get(marks.NAMESPACE_TAG, ""), tags.get(marks.NAME_TAG, "")
