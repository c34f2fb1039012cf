"""One store as one visit reaches it: what it answers, and whether that may be believed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal, Protocol, TypeVar

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Terminal, Transient, Waiting
from clouddatamesh.model.bucket import EXPECTED_OWNER, Bucket, Contents, Openings
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown, doubted
from clouddatamesh.model.identity import Connection, Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.takeover import FormerUser, TakeOver
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.features import is_aws, settings_of
from clouddatamesh.plan.keys import may_be_unseen
from clouddatamesh.plan.objectstore import find_other_account, is_marker, is_mesh_bucket
from clouddatamesh.plan.takeover import done_at, former_names
from clouddatamesh.ports import BucketStore, Identities, Ports
from clouddatamesh.reconcile.visit import Visit

CREDENTIALS: Final = ("access-key-id", "secret-access-key")
"""The keys of an ObjectStore's Secret."""
T = TypeVar("T")


class OwnSecrets(Protocol):
    """Of a Cluster, what a connection needs."""

    def get_own_secret(self, name: str) -> Mapping[str, str] | None: ...


def connection_of(store: ObjectStore, cluster: OwnSecrets) -> Connection:
    """How the store is reached now. A missing Secret or key is Terminal(CredentialsMissing) and names it."""
    spec = store.spec
    key_id, secret = _credentials(store, cluster)
    settings = settings_of(store)
    return Connection(
        region=spec.region,
        endpoint=spec.endpoint_url,
        iam_endpoint=spec.iam_endpoint_url or (None if is_aws(store) else spec.endpoint_url),
        plain_endpoint=spec.plain_endpoint_url,
        addressing_style=spec.addressing_style or ("virtual" if is_aws(store) else "path"),
        ca_bundle=spec.ca_bundle,
        access_key_id=key_id,
        secret_access_key=secret,
        expected_owner=(store.status.account or None) if EXPECTED_OWNER in settings else None,
        settings=settings,
    )


def _credentials(store: ObjectStore, cluster: OwnSecrets) -> tuple[str | None, str | None]:
    reference = store.spec.credentials_secret_ref
    if reference is None:
        return None, None
    data = cluster.get_own_secret(reference.name)
    if data is None:
        why = f"Secret {reference.name}, named in spec.credentialsSecretRef, does not exist in the operator's namespace"
        raise Terminal(reasons.CREDENTIALS_MISSING, why)
    missing = [name for name in CREDENTIALS if not data.get(name)]
    if missing:
        why = f"Secret {reference.name}, named in spec.credentialsSecretRef, lacks {' and '.join(missing)}"
        raise Terminal(reasons.CREDENTIALS_MISSING, why)
    return data[CREDENTIALS[0]].strip(), data[CREDENTIALS[1]].strip()


def cluster_uid(ports: Ports) -> str:
    """The UID of kube-system, which names this cluster."""
    system = ports.cluster.get(Key("Namespace", "", "kube-system"))
    if system is None:
        raise Transient(reasons.CLUSTER_UNAVAILABLE, "Namespace kube-system, whose UID names this cluster, was not seen yet")
    return str(system["metadata"]["uid"])


_OF_CREDENTIALS: Final = (reasons.CREDENTIALS_INVALID, reasons.CERTIFICATE_INVALID, reasons.CREDENTIALS_MISSING)


def about_the_store(error: MeshError, store: ObjectStore) -> MeshError:
    """What is wrong with the store's credentials is the store's to tell; whoever uses it waits for that."""
    if not isinstance(error, Terminal):
        return error
    if error.reason == reasons.NOT_THE_SAME_STORE:
        return Waiting(error.reason, error.message)
    if error.reason in _OF_CREDENTIALS:
        return Waiting(reasons.STORE_NOT_READY, f"ObjectStore {store.metadata.name} is not Ready: {error.message}")
    return error


class Place:
    """The store of one visit. What it shows is there; that it does not show something counts only while it is known to be the right one.

    Its looks are kept for the visit until something is written.
    """

    def __init__(self, store: ObjectStore, visit: Visit) -> None:
        self._store, self._visit, self._ports = store, visit, visit.ports
        self._connection = connection_of(store, visit.ports.cluster)
        self.buckets: BucketStore = visit.ports.stores.buckets(self._connection)
        self.identities: Identities = visit.ports.stores.identities(self._connection)
        self._mesh, self._cluster = visit.ports.settings.mesh, cluster_uid(visit.ports)

    def observe_bucket(self, name: str, is_anothers: Callable[[Bucket], bool] = lambda _: False) -> Seen[Bucket]:
        """A bucket, with what is in doubt about its absence; and about another's marks, by which access is taken as well."""
        look = ("bucket", name)
        if look not in self._visit.looks:
            seen = self._shield(self.buckets.observe(name))
            says_no = isinstance(seen, Absent) or (isinstance(seen, Present) and is_anothers(seen.value))
            doubt = self._doubt_of_buckets() if says_no else None
            self._visit.looks[look] = seen if doubt is None else Unknown(doubt)
        found: Seen[Bucket] = self._visit.looks[look]
        return found

    def observe_own(self, name: str, *issued: datetime | None) -> Seen[Principal]:
        """An object's own user, whose keys were issued then: so soon after that its absence proves nothing."""
        seen = self.observe_principal(name)
        late = isinstance(seen, Absent) and may_be_unseen(self._store, issued, self._ports.clock.now())
        why = f"A key of IAM user {name} was issued a moment ago, and the store does not show the user yet"
        return Unknown(Waiting(reasons.NOT_VISIBLE_YET, why)) if late else seen

    def observe_principal(self, name: str) -> Seen[Principal]:
        """A user, with what is in doubt about its absence."""
        look = ("principal", name)
        if look not in self._visit.looks:
            seen = self._shield(self.identities.observe(name))
            self._visit.looks[look] = doubted(seen, self._doubt_of_identities() if isinstance(seen, Absent) else None)
        found: Seen[Principal] = self._visit.looks[look]
        return found

    def observe_formers(self, owner: Key, own: str, record: TakeOver) -> tuple[FormerUser, ...]:
        """The users that lost clusters made for an object, but for those of clusters that left none here, and its own.

        They are this cluster's to see only where the mesh's bucket bears its mark: another cluster may have taken the store over.
        """
        done = (*done_at(record, self._store), self._cluster)
        wanted = [user for user in former_names(self._store, self._mesh, owner, done) if user[2] != own]
        doubt = self._doubt_of_buckets() if wanted else None
        return tuple(FormerUser(*user, self.observe_principal(user[2]) if doubt is None else Unknown(doubt)) for user in wanted)

    def find_region(self, name: str) -> tuple[str, Literal["Store", "Bucket"]] | None:
        """A bucket's region, and where it is known from; None where the store does not say. Asked once in a visit.

        AWS says it by the names that clients use. What another store calls the place of the mesh's own bucket is its name for spec.region.
        """
        look = ("region", name)
        if look not in self._visit.looks:
            self._visit.looks[look] = self._ask_region(name)
        found: tuple[str, Literal["Store", "Bucket"]] | None = self._visit.looks[look]
        return found

    def _ask_region(self, name: str) -> tuple[str, Literal["Store", "Bucket"]] | None:
        try:
            told = self.buckets.locate(name)
            if is_aws(self._store):
                return told, "Bucket"
            is_usual = not told or told == self.buckets.locate(names.mesh_bucket_name(self._store.spec.bucket_prefix, self._mesh))
        except MeshError:
            return None
        return (self._store.spec.region, "Store") if is_usual else (told, "Bucket")

    def find_openings(self, name: str) -> Openings:
        """How others may reach a bucket now. Asked once in a visit."""
        look = ("openings", name)
        if look not in self._visit.looks:
            self._visit.looks[look] = self.buckets.find_openings(name)
        found: Openings = self._visit.looks[look]
        return found

    def count(self, name: str) -> Seen[Contents]:
        """What a bucket holds."""
        try:
            return Present(self.buckets.count(name))
        except MeshError as error:
            return Unknown(self.explain(error))

    def explain(self, error: MeshError) -> MeshError:
        """What an error of the store means to whoever uses it."""
        return about_the_store(error, self._store)

    def _shield(self, seen: Seen[T]) -> Seen[T]:
        return Unknown(self.explain(seen.error)) if isinstance(seen, Unknown) else seen

    def find_fault(self) -> MeshError | None:
        """Why these credentials must not be used at all: they are of another account, or the store does not say whose they are."""
        return self._proof("account", self._check_account)

    def _doubt_of_buckets(self) -> MeshError | None:
        return self._doubt_of_status() or self._proof("buckets", self._check_mesh_bucket)

    def _doubt_of_identities(self) -> MeshError | None:
        return self._doubt_of_status() or self._proof("identities", self._check_marker)

    def _doubt_of_status(self) -> MeshError | None:
        """What status says of the store was found of another spec: by that it cannot be recognised."""
        if self._store.status.observed_generation == self._store.metadata.generation:
            return None
        return Waiting(reasons.STORE_NOT_READY, f"ObjectStore {self._store.metadata.name} was changed and was not looked at since")

    def _proof(self, what: str, check: Callable[[], MeshError | None]) -> MeshError | None:
        """A check that succeeded holds for this connection for half a minute; one that failed is made again."""
        key = (what, self._store.metadata.uid, self._connection)
        now = self._ports.clock.now()
        if self._ports.proofs.holds(key, now):
            return None
        fault = check()
        if fault is None:
            self._ports.proofs.note(key, now)
        return fault

    def _check_account(self) -> MeshError | None:
        try:
            account = self.buckets.account().id
        except MeshError as error:
            return error
        return find_other_account(self._store, account)

    def _check_mesh_bucket(self) -> MeshError | None:
        name = names.mesh_bucket_name(self._store.spec.bucket_prefix, self._mesh)
        seen = self.buckets.observe_marks(name)
        if isinstance(seen, Unknown):
            return seen.error
        if isinstance(seen, Present) and is_mesh_bucket(seen.value, self._mesh, self._cluster) and self._is_this_store(seen.value):
            return None
        return self._not_recognised(f"its bucket {name} is not there, or is not this cluster's")

    def _is_this_store(self, bucket: Bucket) -> bool:
        return self._store.status.store_id in (None, bucket.tag(marks.STORE_TAG))

    def _check_marker(self) -> MeshError | None:
        if not self._store.status.store_id:
            return self._not_recognised("it has no id yet")
        name = names.marker_name(self._mesh, self._cluster, self._store.status.store_id)
        seen = self.identities.observe(name)
        if isinstance(seen, Unknown):
            return seen.error
        if isinstance(seen, Present) and is_marker(seen.value, self._mesh, self._cluster):
            return None
        return self._not_recognised(f"its IAM user {name} is not there")

    def _not_recognised(self, why: str) -> MeshError:
        return Waiting(
            reasons.NOT_THE_SAME_STORE, f"ObjectStore {self._store.metadata.name} was not recognised: {why}; nothing is concluded"
        )


def find_other_store(store: ObjectStore, recorded: str | None) -> MeshError | None:
    """The error where something was made in another store than the one that an ObjectStore of the same name leads to now."""
    if not recorded or not store.status.store_id or recorded == store.status.store_id:
        return None
    why = f"ObjectStore {store.metadata.name} leads to store {store.status.store_id} now, and this was made in store {recorded}"
    return Waiting(reasons.NOT_THE_SAME_STORE, f"{why}; set the ObjectStore back")


def open_place(store: ObjectStore, visit: Visit) -> Place | MeshError:
    """The store, or why it is not asked: it did not answer its own look, is of another account, or its credentials are missing."""
    answers = next((found for found in store.status.conditions if found.type == "CredentialsValid"), None)
    if answers is None or answers.status != "True":
        reason, why = (answers.reason, answers.message) if answers else (reasons.STORE_NOT_READY, "it was not looked at yet")
        return Waiting(reason, f"ObjectStore {store.metadata.name} does not answer: {why}")
    recorded = store.status.bucket
    if recorded is not None and recorded != names.mesh_bucket_name(store.spec.bucket_prefix, visit.ports.settings.mesh):
        return Waiting(reasons.OTHER_MESH, f"ObjectStore {store.metadata.name} belongs to another mesh; its status says which")
    try:
        place = Place(store, visit)
    except MeshError as error:
        return about_the_store(error, store)
    fault = place.find_fault()
    return place if fault is None else about_the_store(fault, store)
