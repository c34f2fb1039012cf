"""tests/security/attempts.py on the real API server and RGW, with the chart's admission policies and without them."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from clouddatamesh.plan.marks import FINALIZER
from hack.tools.children import ToolError
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.access import Access, Deal, is_allowed
from tests.e2e.actors import Actors
from tests.security.attempts import ATTEMPTS, EDITOR, GRANT, LEAVING, MAKER, ORDERS, REALM, REQUEST, ROLES, Attempt
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_product, a_store, annotated

WITH, WITHOUT = "with admission policies", "without admission policies"
GUARDS = ("enabled", "ports", "deletion", "finalizers", "status", "namespaces", "owners", "cutOff", "roles", "approvers")
VALUES = {WITH: {}, WITHOUT: {f"guard.{guard}": "false" for guard in GUARDS}}


@dataclass(frozen=True)
class Realm:
    """Two domains, a product of two ports, and one request that is granted for one of them."""

    mesh: Actors
    access: Access
    has_policies: bool

    def says(self, attempt: Attempt, *flags: str) -> str:
        """What the API server says against it; empty where it is done."""
        stdin = json.dumps(attempt.manifest).replace(REALM, self.mesh.installed.mesh) if attempt.manifest else None
        groups = [f"--as-group={group}" for group in (*attempt.who.groups, "system:authenticated")]
        try:
            self.mesh.installed.cluster.kubectl(*attempt.command, f"--as={attempt.who.user}", *groups, *flags, stdin=stdin)
        except ToolError as error:
            return str(error)
        return ""

    def keys(self) -> dict[str, int]:
        """How many keys each user of the mesh has in the store; one that goes meanwhile has none."""
        iam, found = self.mesh.iam, dict[str, int]()
        for name in self.mesh.store.users(f"/clouddatamesh/{self.mesh.installed.mesh}/"):
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                found[name] = len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"])
        return found

    def reach(self) -> list[str]:
        """What the granted key reads, of one object in each port and of another product's."""
        s3, bucket = self.access.client(), self.access.secret["bucket"]
        others = f"{self.mesh.installed.mesh}-other"
        places = {"daily": (bucket, "daily/seed"), "margins": (bucket, "margins/seed"), "other": (others, "daily/seed")}
        return [name for name, (where, key) in places.items() if is_allowed(partial(s3.get_object, Bucket=where, Key=key))]


@pytest.fixture(scope="module", params=list(VALUES))
def realm(request: pytest.FixtureRequest, rgw: Store) -> Iterator[Realm]:
    """Each realm is a cluster and a mesh of its own; both share the store."""
    name = {WITH: "warded", WITHOUT: "bare"}[request.param]
    with ControlPlane() as cluster, Installation(cluster, mesh=name, values=VALUES[request.param]) as installed:
        installed.give_credentials(rgw)
        people = {domain: {role: [{"kind": "Group", "name": f"{domain}-{role}"}] for role in ROLES} for domain in ("sales", "inventory")}
        installed.apply(a_store(endpointUrl=rgw.endpoint, region=rgw.region, bucketPrefix=name))
        installed.apply(*(a_domain(domain, access=access) for domain, access in people.items()))
        for kind, what in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, what, seconds=90)
        mesh = Actors(installed, rgw)
        for namespace in ("sales", "inventory"):
            cluster.kubectl("create", "rolebinding", "editor", "--clusterrole=edit", f"--user={EDITOR.user}", "-n", namespace)
        cluster.kubectl("create", "namespace", "tenants")
        cluster.kubectl("create", "clusterrole", "maker", "--verb=*", "--resource=namespaces,namespaces/status")
        cluster.kubectl("create", "clusterrolebinding", "maker", "--clusterrole=maker", f"--user={MAKER.user}")
        other = annotated(a_product("other", storage={"bucketName": f"{name}-other"}), cut_off="other")
        installed.apply(ORDERS, other, a_product("forecast", "inventory"))
        for product, namespace in (("orders", "sales"), ("other", "sales"), ("forecast", "inventory")):
            installed.wait("dataproduct", product, namespace)
        installed.apply({**LEAVING, "metadata": {**LEAVING["metadata"], "finalizers": [FINALIZER]}})
        mesh.delete("leaving", wait=False)
        mesh.ends("leaving", reason="Suspended", type_="DeletionBlocked")
        mesh.put(mesh.bucket("orders"), "daily/seed", "margins/seed")
        mesh.put(mesh.bucket("other"), "daily/seed")
        yield Realm(mesh, Access.given(mesh, Deal(REQUEST, GRANT)), request.param == WITH)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.what)
def test_is_stopped(realm: Realm, attempt: Attempt) -> None:
    if attempt.needs_policy and not realm.has_policies:
        assert realm.says(attempt, "--dry-run=server") == "", "the page says that nothing stops it"
        return
    before = realm.keys()
    said = realm.says(attempt)
    if attempt.ends is None:
        assert attempt.says in said
    else:
        assert said == ""
        end_without_gain(realm, attempt.says, *attempt.ends)
    assert realm.keys() == before
    assert realm.reach() == ["daily"]


def end_without_gain(realm: Realm, says: str, kind: str, name: str, namespace: str) -> None:
    """Wait for what the status says, look who has a key by then, and take the object away."""
    installed, before = realm.mesh.installed, realm.keys()

    def said() -> bool:
        return says in json.dumps(installed.get(kind, name, namespace).get("status", {}))

    try:
        installed.until(said, what=f"{says} of {kind} {name}")
        assert {user: keys for user, keys in realm.keys().items() if keys} == {user: keys for user, keys in before.items() if keys}
        assert realm.reach() == ["daily"]
    finally:
        installed.cluster.kubectl("delete", kind, name, "-n", namespace, "--wait=true", "--timeout=90s")
