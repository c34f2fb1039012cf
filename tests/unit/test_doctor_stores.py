"""What `clouddatamesh doctor` judges of stores, and what in a store belongs to no object."""

import base64
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from clouddatamesh.doctor import orphans, stores
from clouddatamesh.doctor.findings import Finding, Unchecked
from clouddatamesh.doctor.orphans import Owners, OwnSecrets, Users
from clouddatamesh.kube.resources import collection
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Present
from clouddatamesh.model.objects import Key
from clouddatamesh.model.settings import Settings
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import marks, names
from clouddatamesh.plan.sweep import MOST, orphan_findings
from tests.unit.doctor_scene import NAMESPACE, NOW, OPERATOR, Server, a_subject, said

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/main-s3"


def a_store(*, status: str = "True", reason: str = "Ready", conditions: tuple[dict[str, Any], ...] = (), **fields: Any) -> dict[str, Any]:
    """A store that was probed an hour ago; keyword arguments are fields of its status, None takes one out."""
    ready = {"type": "Ready", "status": status, "reason": reason, "message": f"why {reason}", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    told = {
        "observedGeneration": 1,
        "probedAt": (NOW - timedelta(hours=1)).isoformat(),
        "storeId": "id",
        "conditions": [ready, *conditions],
        **fields,
    }
    spec = {"region": "us-east-1", "bucketPrefix": "acme", "credentialsSecretRef": {"name": "main-s3"}}
    return {"metadata": {"name": "main"}, "spec": spec, "status": {name: value for name, value in told.items() if value is not None}}


def judged(**given: Any) -> list[str]:
    return [one.what for one in stores.judge(a_store(**given), subject=a_subject())]


def test_a_ready_store_is_sound() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"status": "False", "reason": "StoreUnavailable"}, "It is not Ready (StoreUnavailable): why StoreUnavailable"),
        ({"status": "Unknown", "reason": "Reconciling"}, "It is not Ready (Reconciling): why Reconciling"),
        ({"probeUnclear": "SlowDown"}, "The last probe gave no verdict: SlowDown"),
        ({"probedAt": (NOW - timedelta(hours=26)).isoformat()}, "Its last probe was 2025-12-31T10:00:00+00:00"),
        ({"probedAt": None}, "Its last probe was never"),
        ({"storeId": None}, "It has no store id"),
    ],
)
def test_each_fault_of_a_store_is_told(given: dict[str, Any], words: str) -> None:
    assert judged(**given) == [words]


def test_a_store_that_nobody_looked_at_is_told_among_the_objects() -> None:
    assert judged(status="Unknown", reason="Pending", observedGeneration=-1, probedAt=None, storeId=None) == []


def orphaned(count: int, *, of: int) -> dict[str, Any]:
    """As the operator itself writes it."""
    found = tuple(f"u{number}" for number in range(count))
    world = StoreWorld(NOW, Settings(mesh="acme", namespace=NAMESPACE), "cluster", orphans=found, principals=of)
    (finding,) = orphan_findings(world)
    listed = [{"name": name} for name in found[: MOST + 1]]
    return {"conditions": (vars(finding),), "orphans": listed}


def test_orphans_that_the_operator_removes_are_a_remark_and_the_pulled_brake_is_not() -> None:
    (swept,) = stores.judge(a_store(**orphaned(20, of=20)), subject=a_subject())
    (braked,) = stores.judge(a_store(**orphaned(30, of=40)), subject=a_subject())
    (many,) = stores.judge(a_store(**orphaned(30, of=400)), subject=a_subject())
    assert (swept.level, braked.level, many.level) == ("Remark", "ToDo", "Remark")
    assert "The brake of the sweep" in braked.why


def encoded(**data: str) -> dict[str, Any]:
    return {"metadata": {}, "data": {name.replace("_", "-"): base64.b64encode(value.encode()).decode() for name, value in data.items()}}


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (encoded(access_key_id="a", secret_access_key="b"), None),
        (404, "Its Secret mesh-system/main-s3 does not exist"),
        (encoded(access_key_id="a"), "Its Secret mesh-system/main-s3 lacks secret-access-key"),
        (encoded(access_key_id="a", secret_access_key=""), "Its Secret mesh-system/main-s3 lacks secret-access-key"),
        ({"metadata": {}}, "Its Secret mesh-system/main-s3 lacks access-key-id and secret-access-key"),
    ],
)
def test_a_secret_has_both_keys(secret: Any, words: str | None) -> None:
    server = Server({collection("ObjectStore"): [a_store()], SECRET: secret})
    assert said(stores.look(a_subject(server))) == ([f"ObjectStore main: {words}"] if words else [])


def test_a_secret_that_may_not_be_read_is_not_checked() -> None:
    server = Server({collection("ObjectStore"): [a_store()], SECRET: 403})
    unchecked, _ = stores.look(a_subject(server))
    assert isinstance(unchecked, Unchecked)
    assert unchecked.missing == "the permission to get secrets main-s3 in namespace mesh-system"
    unchecked, _ = stores.look(a_subject(server, user=OPERATOR))
    assert isinstance(unchecked, Unchecked)
    assert not unchecked.by_design, "the operator needs that right"


def an_owner(name: str = "orders", *, uid: str = "1", principal: str = "", bucket: str = "") -> dict[str, Any]:
    status = {"producer": {"principal": principal} if principal else {}, "storage": {"bucket": bucket} if bucket else {}}
    return {"metadata": {"namespace": "sales", "name": name, "uid": uid}, "spec": {}, "status": status}


def owners(*products: dict[str, Any]) -> Owners:
    found = Owners("acme", "cluster")
    for product in products:
        found.take("DataProduct", product)
    return found


def test_users_that_are_recorded_or_are_to_be_made_are_somebodys() -> None:
    coming = names.principal_name("acme", "cluster", Key("DataProduct", "sales", "orders"))
    former = names.former_principal_name("acme", Key("DataProduct", "sales", "orders"))
    users = Users(own=(coming, former, "recorded"))
    assert list(orphans.judge_users("main", users, owners(an_owner(principal="recorded")))) == []


def test_users_of_nobody_are_told_and_those_of_other_clusters_are_a_remark() -> None:
    mine, theirs = orphans.judge_users("main", Users(own=("lost-a", "lost-b"), others=("far",)), owners(an_owner()))
    assert mine.what.endswith("belong to no object: lost-a, lost-b")
    assert (mine.level, theirs.level) == ("ToDo", "Remark")
    assert "aws iam list-access-keys --user-name lost-a" in mine.do
    assert theirs.what == "1 users below /clouddatamesh/acme/ are of other clusters: far"


def test_a_command_is_safe_to_copy_whatever_a_store_calls_its_users() -> None:
    (found,) = orphans.judge_users("main", Users(own=("a; reboot",)), owners())
    assert "--user-name 'a; reboot'" in found.do


def test_a_long_list_of_users_is_cut() -> None:
    (found,) = orphans.judge_users("main", Users(own=tuple(f"u{number:02}" for number in range(40))), owners())
    assert found.what.endswith("u09 and 30 more")


def a_bucket(uid: str, *, mesh: str = "acme", cluster: str = "cluster") -> Bucket:
    tags = {marks.MESH_TAG: mesh, marks.CLUSTER_TAG: cluster, marks.NAMESPACE_TAG: "sales", marks.NAME_TAG: "returns", marks.UID_TAG: uid}
    return Bucket(name="acme-returns", tags=tuple(sorted(tags.items())))


def test_a_bucket_of_a_product_that_is_gone_is_a_remark_because_data_is_kept_on_purpose() -> None:
    (found,) = orphans.judge_buckets("main", [a_bucket("2")], owners(an_owner(uid="1")))
    assert found.what == "1 buckets carry the marks of products that do not exist: acme-returns (sales/returns)"
    assert found.level == "Remark"
    assert "s3://acme-returns --recursive" in found.do


@pytest.mark.parametrize("bucket", [a_bucket("1"), a_bucket("2", mesh="other"), a_bucket("2", cluster="other"), Bucket(name="acme-mesh")])
def test_buckets_of_living_products_and_of_others_are_not_told(bucket: Bucket) -> None:
    assert list(orphans.judge_buckets("main", [bucket], owners(an_owner(uid="1")))) == []


def test_a_bucket_of_a_product_that_was_made_again_is_not_nobodys() -> None:
    assert list(orphans.judge_buckets("main", [a_bucket("former")], owners(an_owner("returns", uid="new")))) == []


def test_without_the_name_of_the_mesh_nothing_is_searched() -> None:
    subject = a_subject(Server({"/api/v1/namespaces/kube-system": {"metadata": {"uid": "cluster"}}}))
    subject.mesh = ""
    (found,) = orphans.look(subject)
    assert isinstance(found, Unchecked)
    assert "--mesh" in found.missing


def test_a_store_whose_secret_is_missing_or_that_uses_workload_identity_is_not_checked() -> None:
    system = {"/api/v1/namespaces/kube-system": {"metadata": {"uid": "cluster"}}}
    spec = {**a_store()["spec"], "endpointUrl": "https://s3.test"}
    without = {name: value for name, value in spec.items() if name != "credentialsSecretRef"}
    for given, words in ((spec, "Secret main-s3"), (without, "workload identity")):
        server = Server({**system, collection("ObjectStore"): [{**a_store(), "spec": given}]})
        (found,) = orphans.look(a_subject(server))
        assert isinstance(found, Unchecked)
        assert words in found.missing


@pytest.mark.parametrize("made", [True, False], ids=["made meanwhile", "never made"])
def test_what_a_product_has_that_was_made_while_the_stores_were_read_is_not_nobodys(made: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {**a_store()["spec"], "endpointUrl": "https://s3.test"}
    read = {"/api/v1/namespaces/kube-system": {"metadata": {"uid": "cluster"}}, SECRET: encoded(access_key_id="a", secret_access_key="b")}
    lists = {collection("ObjectStore"): [{**a_store(), "spec": spec}], collection("AccessRequest"): [], collection("DataProduct"): []}
    server = Server({**read, **lists})

    class Stores:
        """With the user and the bucket of a product."""

        def identities(self, _: object) -> Any:
            user = names.principal_name("acme", "cluster", Key("DataProduct", "sales", "orders"))
            return SimpleNamespace(list=lambda _: [user])

        def buckets(self, _: object) -> Any:
            if made:
                server.objects[collection("DataProduct")] = [an_owner()]
            return SimpleNamespace(list=lambda _: ["acme-orders"], observe_marks=lambda _: Present(a_bucket("1")))

    monkeypatch.setattr(orphans, "BotoStores", Stores)
    told = [found.what.split()[1] for found in orphans.look(a_subject(server)) if isinstance(found, Finding)]
    assert told == ([] if made else ["users", "buckets"])


def test_credentials_are_read_as_they_are_and_shown_nowhere() -> None:
    secrets = OwnSecrets(a_subject(Server({SECRET: encoded(access_key_id="a", secret_access_key="hidden")})))
    assert secrets.get_own_secret("main-s3") == {"access-key-id": "a", "secret-access-key": "hidden"}
    assert secrets.get_own_secret("absent") is None
    assert "hidden" not in repr(secrets)
