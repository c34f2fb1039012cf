"""Children of a Domain that somebody holds, refuses or forges: what of the others?"""

from collections.abc import Callable
from typing import Any

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Away, Terminal, Transient
from clouddatamesh.model.objects import Key, key_of
from clouddatamesh.reconcile.dispatch import reconcile
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.mesh import Mesh

HOLDER = "wrangler.cattle.io/auth-prov-v2-rb"
VIEWERS = Key("RoleBinding", "sales", "clouddatamesh-viewers")
OWNERS = Key("RoleBinding", "sales", "clouddatamesh-owners")
POLICY = Key("NetworkPolicy", "sales", "clouddatamesh")


def people(*names: str) -> list[dict[str, str]]:
    return [{"kind": "User", "name": name} for name in names]


def a_held_mesh() -> Mesh:
    """All of sales' children bear a finalizer that nobody serves."""
    isolated = {"networkIsolation": {"mode": "Domain"}}
    mesh = Mesh().apply(a_store(), a_domain(access={"owners": people("kim"), "viewers": people("leaver")}, resources=isolated)).settle()
    for key in (VIEWERS, OWNERS, POLICY):
        mesh.cluster.user_finalize(key, HOLDER)
    return mesh


def subjects(mesh: Mesh, key: Key) -> list[str]:
    return [subject["name"] for subject in mesh.get(key.kind, key.name, key.namespace)["subjects"]]


def test_who_leaves_loses_the_role_though_somebody_holds_the_binding() -> None:
    mesh = a_held_mesh()
    writes = mesh.writes_of(lambda m: m.apply(a_domain(access={"owners": people("kim")})))
    assert subjects(mesh, VIEWERS) == []
    assert sum(write.startswith("delete") for write in writes) == 2
    found = mesh.condition("Domain", "sales")
    assert (found["status"], found["reason"]) == ("Unknown", "Deleting")
    assert HOLDER in found["message"]
    assert subjects(mesh, OWNERS)
    for key in (VIEWERS, POLICY):
        mesh.cluster.user_finalize(key)
    mesh.clock.forward(minutes=1)
    assert mesh.settle().condition("Domain", "sales")["status"] == "True"


def test_a_domain_that_goes_leaves_nobody_a_role_though_somebody_holds_the_bindings() -> None:
    mesh = a_held_mesh()
    mesh.delete("Domain", "sales").settle()
    assert subjects(mesh, VIEWERS) == subjects(mesh, OWNERS) == []
    assert HOLDER in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]
    for key in (VIEWERS, OWNERS, POLICY):
        mesh.cluster.user_finalize(key)
    mesh.clock.forward(minutes=1)
    assert not mesh.settle().exists("Domain", "sales")


@pytest.mark.parametrize("leaves", ["the Domain is deleted", "its entry left spec.namespaces"])
def test_the_operators_own_binding_lasts_as_long_as_a_product_is_inside(leaves: str) -> None:
    binding = Key("RoleBinding", "raw", "clouddatamesh-operator")
    spaces = [{"name": "sales"}, {"name": "raw"}]
    mesh = Mesh().apply(a_store(), a_domain(namespaces=spaces), a_product("clicks", "raw")).settle()
    if leaves == "the Domain is deleted":
        mesh.delete("Domain", "sales")
    else:
        mesh.apply(a_domain(namespaces=spaces[:1]))
    mesh.settle()
    mesh.cluster.user_delete(binding)
    mesh.clock.forward(minutes=20)
    mesh.settle()
    assert mesh.exists(binding.kind, binding.name, binding.namespace)
    mesh.delete("DataProduct", "clicks", "raw").settle()
    mesh.clock.forward(minutes=20)
    mesh.settle()
    assert not mesh.exists("DataProduct", "clicks", "raw")
    assert not mesh.exists(binding.kind, binding.name, binding.namespace)


@pytest.mark.parametrize("leaves", ["the Domain is deleted", "its entry left spec.namespaces"])
def test_a_namespace_that_lost_its_label_gets_it_back_before_that_binding(leaves: str) -> None:
    """The guard keeps the operator from writing where the label is not, and products inside could never go."""
    binding, place = Key("RoleBinding", "raw", "clouddatamesh-operator"), Key("Namespace", "", "raw")
    spaces = [{"name": "sales"}, {"name": "raw"}]
    mesh = Mesh().apply(a_store(), a_domain(namespaces=spaces), a_product("clicks", "raw")).settle()
    mesh.cluster.strip(place, label="clouddatamesh.dev/domain")
    mesh.cluster.user_delete(binding)
    if leaves == "the Domain is deleted":
        mesh.delete("Domain", "sales")
    else:
        mesh.apply(a_domain(namespaces=spaces[:1]))
    order = [write for write in mesh.writes_of(lambda _: None) if write in (f"label {place}", f"create {binding}")]
    assert order == [f"label {place}", f"create {binding}"]


def test_a_child_forged_in_a_strangers_namespace_keeps_no_domain_waiting() -> None:
    """Anybody may write with our field manager's name, label and mark into a namespace of their own."""
    mesh = Mesh().apply(a_store(), a_domain(), a_product()).settle()
    forged = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": "clouddatamesh-owners",
            "namespace": "evil",
            "labels": {"app.kubernetes.io/managed-by": "clouddatamesh", "clouddatamesh.dev/domain": "sales"},
            "annotations": {"clouddatamesh.dev/owner": "Domain//sales/00000000-0000-0000-0000-000000000000"},
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [],
    }
    mesh.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "evil"}}, forged, a_product("junk", "evil"))
    mesh.cluster._objects.makers[mesh.get("RoleBinding", "clouddatamesh-owners", "evil")["metadata"]["uid"]] = "clouddatamesh"
    mesh.settle()
    assert mesh.condition("Domain", "sales")["status"] == "True"
    assert mesh.get("Domain", "sales")["status"]["dataProducts"] == 1
    mesh.delete("DataProduct", "orders", "sales").settle()
    mesh.delete("Domain", "sales").settle()
    assert not mesh.exists("Domain", "sales")
    assert mesh.exists("DataProduct", "junk", "evil")


LIMITED = {"quota": {"pods": "9"}, "limitRange": {"default": {"cpu": "1"}}, "networkIsolation": {"mode": "Domain"}}
LIMITS = [Key(kind, "sales", "clouddatamesh") for kind in ("ResourceQuota", "LimitRange", "NetworkPolicy")]


def refusing(write: Callable[..., object], key_of_write: Callable[[Any], Key], refused: Key) -> Callable[..., None]:
    """A write of the cluster's that an admission webhook refuses for one object."""

    def refuse(what: Any, *others: Any) -> None:
        if key_of_write(what) == refused:
            raise Terminal(reasons.ADMISSION_REFUSED, f"Writing {refused} failed: a policy denied the request")
        write(what, *others)

    return refuse


@pytest.mark.parametrize("refused", [VIEWERS, *LIMITS], ids=str)
def test_one_child_that_is_refused_keeps_none_of_the_others_from_being_made(refused: Key) -> None:
    mesh = Mesh()
    mesh.cluster.create = refusing(mesh.cluster.create, key_of, refused)  # type: ignore[method-assign]
    mesh.apply(a_store(), a_domain(access={"owners": people("kim"), "viewers": people("lee")}, resources=LIMITED)).settle()
    others = [key for key in (OWNERS, VIEWERS, *LIMITS) if key != refused]
    assert [key for key in others if not mesh.exists(key.kind, key.name, key.namespace)] == []
    assert str(refused) in mesh.condition("Domain", "sales")["message"]


def test_a_quota_that_counts_bindings_keeps_nobody_out_of_a_new_namespace() -> None:
    """It refuses only what comes after it."""
    access = {"owners": people("kim"), "viewers": people("lee")}
    made = Mesh().writes_of(lambda mesh: mesh.apply(a_store(), a_domain(access=access, resources=LIMITED)))
    order = [next(at for at, write in enumerate(made) if write == f"create {key}") for key in (LIMITS[2], OWNERS, VIEWERS, LIMITS[0])]
    assert order == sorted(order)


def test_all_children_that_are_refused_are_named() -> None:
    mesh = Mesh()
    mesh.cluster.create = refusing(mesh.cluster.create, key_of, VIEWERS)  # type: ignore[method-assign]
    mesh.cluster.create = refusing(mesh.cluster.create, key_of, LIMITS[2])  # type: ignore[method-assign]
    mesh.apply(a_store(), a_domain(access={"owners": people("kim"), "viewers": people("lee")}, resources=LIMITED)).settle()
    message = mesh.condition("Domain", "sales")["message"]
    assert str(VIEWERS) in message
    assert str(LIMITS[2]) in message


@pytest.mark.parametrize("refused", LIMITS, ids=str)
def test_a_limit_that_may_not_be_deleted_keeps_nobody_in_a_role(refused: Key) -> None:
    mesh = Mesh().apply(a_store(), a_domain(access={"owners": people("kim", "leaver"), "viewers": people("lee")}, resources=LIMITED))
    mesh.settle()
    mesh.cluster.delete = refusing(mesh.cluster.delete, lambda key: key, refused)  # type: ignore[method-assign]
    mesh.apply(a_domain(access={"owners": people("kim")})).settle()
    assert subjects(mesh, OWNERS) == ["kim"]
    assert not mesh.exists(VIEWERS.kind, VIEWERS.name, VIEWERS.namespace)
    mesh.delete("Domain", "sales").settle()
    assert not mesh.exists(OWNERS.kind, OWNERS.name, OWNERS.namespace)
    assert mesh.exists("Domain", "sales")
    assert str(refused) in mesh.condition("Domain", "sales", type_="DeletionBlocked")["message"]


@pytest.mark.parametrize("error", [Transient, Away])
def test_a_webhook_that_hangs_on_every_write_does_not_hold_a_worker_for_long(error: type[Transient]) -> None:
    """Each such write takes ten seconds or more, and a process of which one look lasts ten minutes is ended as stuck."""
    tried: list[Key] = []

    def hang(verb: str, key: Key) -> None:
        if key.kind in {limit.kind for limit in (*LIMITS, OWNERS)}:
            tried.append(key)
            raise error(reasons.CLUSTER_UNAVAILABLE, f"Writing failed: failed calling webhook for {verb} {key}: deadline exceeded")

    spaces = [{"name": f"raw-{number}"} for number in range(32)]
    access = {"owners": people("kim"), "engineers": people("lee"), "viewers": people("ann")}
    mesh = Mesh().apply(a_store(), a_domain("raw", namespaces=spaces, access=access, resources=LIMITED))
    heard, mesh.cluster.before_write = mesh.cluster.before_write, hang
    due = reconcile(Key("Domain", "", "raw"), mesh.ports)
    assert 4 <= len(tried) <= 30
    assert due.brief is (error is Away), "an API server that was away is asked soon after its return"
    assert "failed calling webhook" in mesh.condition("Domain", "raw")["message"]
    mesh.cluster.before_write = heard
    mesh.clock.forward(minutes=5)
    assert mesh.settle().condition("Domain", "raw")["status"] == "True"


def test_a_webhook_that_hangs_in_many_namespaces_keeps_nobody_the_role_in_the_others() -> None:
    spaces = [{"name": f"raw-{number:02}"} for number in range(32)]
    mesh = Mesh().apply(a_store(), a_domain("raw", namespaces=spaces, access={"viewers": people("ann", "leaver")})).settle()
    heard = mesh.cluster.before_write

    def hang(verb: str, key: Key) -> None:
        if key.kind == "RoleBinding" and key.namespace != "raw-31":
            raise Transient(reasons.CLUSTER_UNAVAILABLE, f"Writing failed: failed calling webhook for {verb} {key}: deadline exceeded")
        heard(verb, key)

    mesh.cluster.before_write = hang
    mesh.apply(a_domain("raw", namespaces=spaces, access={"viewers": people("ann")})).settle()
    assert subjects(mesh, Key("RoleBinding", "raw-31", "clouddatamesh-viewers")) == ["ann"]
