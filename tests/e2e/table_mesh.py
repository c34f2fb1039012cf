"""The one mesh of the table: what is made before anything happens, what is remembered of it, and who can do what to it."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e import table_eye as eye
from tests.e2e.table_eye import Eye, Grip, Manifest, Picture
from tests.e2e.table_s3 import add_rule, add_statement, put_tags, tags_of
from tests.e2e.table_words import Cell, Scene
from tests.support.aws_manners import AwsManners
from tests.support.fault_proxy import FaultProxy
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store
from tests.support.rgw_admin import make_account
from tests.support.tls_proxy import TlsProxy

T = TypeVar("T")
MESH, USERS = "table", "users"
ROBOT = {"serviceAccountRef": {"name": "default"}}
"""It exists in every namespace."""
STRANGERS_ACCOUNT, SMALL_ACCOUNT = 12, 13  # not those of the other meshes at the same store
SHARED = ("main", "lost", "doubt", "guarded", "tls", "moto", "cloud", "small")
"""ObjectStores that many scenes share: loss by loss apart, through a proxy that refuses, over TLS, on moto, on moto with AWS's manners,
in an account with limits of its own."""
OPERATOR = "system:serviceaccount:clouddatamesh-system:clouddatamesh"
FROZEN = "example.com/frozen"
"""The platform team's policy lets the operator change nothing that carries this annotation."""
CLOSED = "example.com/closed"
"""Nor make anything in a namespace that carries this label."""
LIMITS = {
    "quota": {"pods": "50", "configmaps": "40"},
    "limitRange": {"default": {"cpu": "500m", "memory": "512Mi"}, "defaultRequest": {"cpu": "100m"}},
    "networkIsolation": {"mode": "Domain"},
}
RULE = {"prefix": "tmp/", "expireAfter": "7d"}
_WORKERS, _PAUSE = 6, 1.0


@dataclass(frozen=True)
class Held:
    """What stood for a scene when all was well."""

    store: Store
    bucket: str
    users: dict[str, str]
    grips: dict[str, Grip]


@dataclass(frozen=True)
class Trace:
    """What somebody wrote into an object, to be found there to the end."""

    kind: str
    name: str
    namespace: str
    path: tuple[str, ...]
    value: Any


@dataclass
class Table:
    """Stores, the cluster, and what is known of each cell."""

    installed: Installation
    store: Store
    twin: Store
    stranger: Store
    small: Store
    proxy: FaultProxy
    tls: TlsProxy
    """Before the store `tls`: there requests without TLS are refused, so that its buckets have a policy."""
    told: Store
    """The same store, told of each request that it came over TLS."""
    cloud: Store
    eye: Eye
    held: dict[str, Held] = field(default_factory=dict)
    before: dict[str, Picture] = field(default_factory=dict)
    left: dict[str, Picture] = field(default_factory=dict)
    traces: dict[str, list[Trace]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    """What a deed wants to remember."""
    said: dict[str, str] = field(default_factory=dict)
    """What was answered to an act that was refused."""
    added: dict[str, Grip] = field(default_factory=dict)
    """Keys that somebody made by hand."""
    since: dict[str, float] = field(default_factory=dict)

    def note(self, moment: str) -> None:
        self.since[moment] = time.monotonic()

    def store_of(self, scene: Scene) -> Store:
        return {"moto": self.twin, "cloud": self.cloud, "small": self.small, "tls": self.told}.get(scene.store, self.store)

    def proxy_of(self, cell: Cell) -> FaultProxy:
        """Where an organisation's policy refuses the operator something."""
        return self.tls if cell.scene.store == "tls" else self.proxy

    def s3(self, cell: Cell) -> Any:
        return eye.client(self.store_of(cell.scene), "s3")

    def iam(self, cell: Cell) -> Any:
        return eye.client(self.store_of(cell.scene), "iam")

    def bucket(self, cell: Cell) -> str:
        return self.held[cell.scene.name].bucket

    def user(self, cell: Cell) -> str:
        return self.held[cell.scene.name].users[cell.whose]

    def hold_again(self, cell: Cell, secret: Mapping[str, str]) -> None:
        """What a Secret has now is what stands for its user."""
        held = self.held[cell.scene.name]
        held.grips[cell.whose] = Grip(held.store, held.bucket, secret["access-key-id"], secret["secret-access-key"])

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        return self.installed.cluster.kubectl(*args, stdin=stdin)

    def read(self, kind: str, name: str, namespace: str = "") -> Manifest:
        """Live, apart from the looks of the eye."""
        return self.installed.get(kind, name, namespace)

    def expect(self, cell: Cell, trace: Trace) -> None:
        self.traces.setdefault(cell.id, []).append(trace)

    def until(self, true: Callable[[], object], what: str, seconds: float = 60) -> None:
        self.installed.until(true, seconds=seconds, what=what)


def secret_of(scene: Scene, whose: str) -> tuple[str, str]:
    """Name and namespace of the Secret of one of a scene's two users."""
    return (f"{scene.name}-producer", scene.place) if whose == "producer" else (scene.name, USERS)


def at_once(act: Callable[[T], object], what: Iterable[T]) -> None:
    """Several at a time; the first error is raised when all have been tried."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for done in [pool.submit(act, one) for one in what]:
            done.result()


# What is made


def store_manifest(table: Table, name: str) -> Manifest:
    endpoints = {
        "guarded": table.proxy.endpoint,
        "tls": table.tls.endpoint,
        "moto": table.twin.endpoint,
        "cloud": table.cloud.endpoint,
    }
    secrets = {
        **dict.fromkeys(("main", "lost", "doubt", "guarded", "tls"), "main-s3"),
        **dict.fromkeys(("moto", "cloud"), "moto-s3"),
        "small": "small-s3",
    }
    secure = {"caBundle": table.tls.certificate, "plainEndpointUrl": table.store.endpoint} if name == "tls" else {}
    return a_store(
        name,
        endpointUrl=endpoints.get(name, table.store.endpoint),
        region=table.store.region,
        bucketPrefix=f"t-{name}"[:20].rstrip("-"),
        credentialsSecretRef={"name": secrets.get(name, f"{name}-s3")},
        **secure,
    )


def domain_manifest(name: str) -> Manifest:
    return a_domain(name, resources=LIMITS)


def product_manifest(scene: Scene) -> Manifest:
    store = scene.name if scene.kind == "store" else scene.store
    storage = {"storeRef": {"name": store}, "tags": {"cost-center": "4711"}, "lifecycleRules": [RULE], **scene.storage}
    return a_product(scene.name, scene.place, storage=storage, **scene.spec)


def deal_manifests(scene: Scene) -> tuple[Manifest, Manifest]:
    """A request that reads the port, and the grant that answers it."""
    alike = {"consumer": ROBOT}
    request = a_request(scene.name, USERS, dataProductRef={"namespace": scene.place, "name": scene.name}, secretName=scene.name, **alike)
    asked = {"namespace": USERS, "name": scene.name}
    return request, a_grant(scene.name, scene.place, dataProductRef={"name": scene.name}, requestRef=asked, **alike)


def manifests_of(scene: Scene) -> list[Manifest]:
    """All but its store and domain."""
    if scene.kind == "domain":
        return []
    return [product_manifest(scene), *(deal_manifests(scene) if scene.asks else ())]


def refusing_policy() -> list[Manifest]:
    """The platform team's own ValidatingAdmissionPolicy, in force all the time."""
    frozen = f"has(%s.metadata.annotations) && '{FROZEN}' in %s.metadata.annotations"
    closed = f"has(namespaceObject.metadata.labels) && '{CLOSED}' in namespaceObject.metadata.labels"
    whole = "request.namespace == '' || request.resource.resource == 'namespaces'"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["CREATE", "UPDATE", "DELETE"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "by-the-operator", "expression": f"request.userInfo.username == '{OPERATOR}'"}],
        "validations": [
            {"expression": f"request.operation == 'CREATE' || !({frozen % ('oldObject', 'oldObject')})", "message": "It is frozen"},
            {"expression": f"request.operation != 'CREATE' || {whole} || !({closed})", "message": "It is closed"},
        ],
    }
    policy = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "platform-team"}}
    bound = {"policyName": "platform-team", "validationActions": ["Deny"]}
    kind = "ValidatingAdmissionPolicy"
    return [{**policy, "kind": kind, "spec": spec}, {**policy, "kind": f"{kind}Binding", "spec": bound}]


@contextlib.contextmanager
def a_table(rgw: Store, moto: Store, cells: Sequence[Cell]) -> Iterator[Table]:
    """Everything Ready, with data and foreign settings in each bucket, and a picture of each cell's object."""
    values = {"log.level": "debug", "driftInterval": "1m"}
    with (
        FaultProxy(rgw.endpoint) as proxy,
        TlsProxy(rgw.endpoint) as tls,
        FaultProxy(rgw.endpoint) as teller,
        AwsManners(moto.endpoint) as manners,
        ControlPlane() as cluster,
        Installation(cluster, mesh=MESH, values=values) as installed,
    ):
        teller.adds = tls.adds
        told, cloud = replace(rgw, endpoint=teller.endpoint), replace(moto, endpoint=manners.endpoint)
        others = make_account(rgw, STRANGERS_ACCOUNT), make_account(rgw, SMALL_ACCOUNT)
        table = Table(installed, rgw, moto, *others, proxy, tls, told, cloud, Eye(installed.reader))
        scenes = {cell.scene.name: cell.scene for cell in cells}
        _make(table, list(scenes.values()))
        for cell in cells:
            if not cell.scene.late:
                table.before[cell.id] = cell.sees(table, cell)
        yield table


def _make(table: Table, scenes: list[Scene]) -> None:
    own_stores = [scene.name for scene in scenes if scene.kind == "store"]
    table.installed.give_credentials(table.store)
    table.installed.give_credentials(table.twin, "moto-s3")
    table.installed.give_credentials(table.small, "small-s3")
    for name in own_stores:
        table.installed.give_credentials(table.store, f"{name}-s3")
    places = {scene.place for scene in scenes if scene.kind != "domain"} | {USERS}
    domains = sorted(places | {scene.name for scene in scenes if scene.kind == "domain"})
    stores = [*SHARED, *own_stores]
    table.installed.apply(*refusing_policy(), *(store_manifest(table, name) for name in stores), *map(domain_manifest, domains))
    _await_ready(table, [*(("objectstore", name, "") for name in stores), *(("domain", name, "") for name in domains)])
    first = [scene for scene in scenes if not scene.late and scene.kind != "domain"]
    table.installed.apply(*(manifest for scene in first for manifest in manifests_of(scene)))
    _await_ready(table, [("dataproduct", s.name, s.place) for s in first] + [("accessrequest", s.name, USERS) for s in first if s.asks])
    for scene in first:
        table.held[scene.name] = hold(table, scene)
    make_neighbours(table)
    at_once(lambda scene: furnish(table, scene), first)
    # Inboxes count a moment after access is given.
    table.until(lambda: table.eye.look() and all(_is_counted(table, scene) for scene in first), "what the inboxes count")


def _is_counted(table: Table, scene: Scene) -> bool:
    status = table.eye.get("accessinbox", scene.name, scene.place).get("status", {})
    return not scene.asks or status.get("consumerCount") == 1


def _await_ready(table: Table, objects: list[tuple[str, str, str]], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    left = objects
    while left:
        table.eye.look()
        left = [one for one in left if table.eye.condition(*one).get("status") != "True"]
        if left and time.monotonic() > end:
            told = [f"{one}: {table.eye.condition(*one)}" for one in left[:10]]
            raise TimeoutError(f"{len(left)} objects are not Ready: {told}\n{table.installed.log()[-3000:]}")
        time.sleep(_PAUSE)


def hold(table: Table, scene: Scene) -> Held:
    """The keys as their users have them now."""
    product = table.eye.get("dataproduct", scene.name, scene.place)["status"]
    store, bucket = table.store_of(scene), product["storage"]["bucket"]
    users, grips = {}, {}
    if "producer" in product:
        users["producer"] = product["producer"]["principal"]
    if scene.asks:
        users["consumer"] = table.eye.get("accessrequest", scene.name, USERS)["status"]["principal"]
    for whose in users:
        grips[whose] = grip_of(table, scene, whose, store, bucket)
    return Held(store, bucket, users, {whose: grip for whose, grip in grips.items() if grip is not None})


def grip_of(table: Table, scene: Scene, whose: str, store: Store, bucket: str) -> Grip | None:
    """The key that a Secret held at the last look of the eye."""
    secret = table.eye.secret(*secret_of(scene, whose))
    if not {"access-key-id", "secret-access-key"} <= set(secret):
        return None
    return Grip(store, bucket, secret["access-key-id"], secret["secret-access-key"])


def make_neighbours(table: Table) -> None:
    """What is nobody's of the mesh, in both stores: a bucket, and a user of a group with a policy."""
    for store in (table.store, table.twin):
        s3, iam = eye.client(store, "s3"), eye.client(store, "iam")
        s3.create_bucket(Bucket=eye.NEIGHBOUR)
        put_tags(s3, eye.NEIGHBOUR, {"owner": "somebody", f"{eye.GROUP}/mesh": "another"})
        s3.put_object(Bucket=eye.NEIGHBOUR, Key=eye.SEED, Body=b"theirs")
        wide = {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
        iam.create_group(GroupName="office")
        iam.put_group_policy(GroupName="office", PolicyName="office", PolicyDocument=document)
        iam.create_user(UserName="clerk", Path="/office/")
        iam.put_user_policy(UserName="clerk", PolicyName="clerk", PolicyDocument=document)
        iam.add_user_to_group(GroupName="office", UserName="clerk")


def neighbours(table: Table) -> list[Picture]:
    """They must look alike before and after."""
    return [
        picture
        for store in (table.store, table.twin)
        for picture in (eye.picture_bucket(store, eye.NEIGHBOUR), eye.picture_user(store, "clerk"))
    ]


def furnish(table: Table, scene: Scene) -> None:
    """Data in the port and outside of it, and settings that others put on the bucket."""
    held = table.held[scene.name]
    s3, bucket = eye.client(held.store, "s3"), held.bucket
    for key in (eye.SEED, eye.PRIVATE):
        s3.put_object(Bucket=bucket, Key=key, Body=b"one row\n")
    put_tags(s3, bucket, {**tags_of(s3, bucket), "scanned-by": "inventory-tool"})
    add_rule(s3, bucket, {"ID": "theirs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}})
    add_statement(
        s3,
        bucket,
        {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/forbidden/*"},
    )
