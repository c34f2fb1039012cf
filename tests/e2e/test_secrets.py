"""What people and tools do to the Secrets of producers and consumers, on RGW and a real API server: nobody who holds a key is cut off."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.access import a_deal, is_allowed
from tests.e2e.actors import Actors
from tests.support.manifests import a_product, a_store, annotated

ROTATE = "clouddatamesh.dev/rotate"
KEY_FIELDS = ("access-key-id", "secret-access-key")
STORE = "secretive"


@dataclass
class Holder:
    """An object with a Secret: a product for its producer, or a request for its consumer."""

    mesh: Actors
    kind: str
    name: str
    namespace: str
    secret_name: str
    condition: str
    tokens: int = 0

    def object(self) -> dict[str, Any]:
        return self.mesh.installed.get(self.kind, self.name, self.namespace)

    def says(self, type_: str) -> dict[str, Any]:
        conditions = self.object().get("status", {}).get("conditions", ())
        return next((dict(found) for found in conditions if found["type"] == type_), {})

    def data(self) -> dict[str, str]:
        return self.mesh.installed.secret(self.secret_name, self.namespace)

    def manifest(self) -> dict[str, Any]:
        return self.mesh.installed.get("secret", self.secret_name, self.namespace)

    def kubectl(self, *words: str, stdin: str = "") -> str:
        verb, *rest = words
        return str(self.mesh.installed.cluster.kubectl(verb, *rest, "-n", self.namespace, **({"stdin": stdin} if stdin else {})))

    def patch(self, body: dict[str, Any]) -> None:
        self.kubectl("patch", "secret", self.secret_name, "--type=merge", "-p", json.dumps(body))

    def annotate(self, annotation: str) -> None:
        self.kubectl("annotate", "--overwrite", self.kind, self.name, annotation)

    def look(self) -> None:
        """Ask for a look now, and wait until it was had and the object is Ready."""
        self.tokens += 1
        token = f"look-{self.tokens}"
        self.annotate(f"clouddatamesh.dev/reconcile-requested-at={token}")
        seen = lambda: self.object()["status"].get("lastHandledReconcileAt") == token  # noqa: E731
        self.mesh.installed.until(seen, what=f"a look at {self.name}")
        self.mesh.installed.wait(self.kind, self.name, self.namespace)

    def works(self, key: dict[str, str]) -> bool:
        """Whether a key opens what this holder may read."""
        s3 = self.mesh.store.client("s3", access_key=key["access-key-id"], secret_key=key["secret-access-key"])
        return is_allowed(lambda: s3.list_objects_v2(Bucket=key["bucket"], Prefix=key["prefix"]))

    def keys(self) -> list[str]:
        """Ids of the keys in the store."""
        status = self.object()["status"]
        principal = status.get("principal") or status["producer"]["principal"]
        return [key["AccessKeyId"] for key in self.mesh.iam.list_access_keys(UserName=principal)["AccessKeyMetadata"]]

    def former(self) -> dict[str, Any]:
        """What status tells of a key that was replaced."""
        status = self.object()["status"]
        return dict(status.get("rotation") or status.get("producer", {}).get("rotation") or {})


@pytest.fixture(scope="module")
def shop(mesh: Actors) -> Actors:
    """A store of this file's own, whose spec may be changed, and the product that consumers ask for."""
    mesh.installed.apply(a_store(STORE, endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix=STORE))
    mesh.installed.wait("objectstore", STORE, seconds=60)
    mesh.installed.apply(a_product("keyring", storage={"storeRef": {"name": STORE}}), a_product("locksmith", "inventory"))
    for name, namespace in (("keyring", "sales"), ("locksmith", "inventory")):
        mesh.installed.wait("dataproduct", name, namespace)
    return mesh


@pytest.fixture(params=["producer", "consumer"])
def holder(request: pytest.FixtureRequest, shop: Actors) -> Holder:
    """A fresh holder of a key that works."""
    name = f"{request.node.originalname.removeprefix('test_')[:30].strip('_').replace('_', '-')}-{request.param}"
    made = a_consumer(shop, name) if request.param == "consumer" else a_producer(shop, name)
    assert made.works(made.data())
    return made


def a_producer(shop: Actors, name: str) -> Holder:
    shop.make(name, storage={"storeRef": {"name": STORE}})
    return Holder(shop, "dataproduct", name, "sales", f"{name}-producer", "CredentialsReady")


def a_consumer(shop: Actors, name: str) -> Holder:
    deal = a_deal(name, "sales/keyring", consumer={"dataProductRef": {"name": "locksmith"}})
    shop.installed.apply(deal.request, deal.grant)
    shop.installed.wait("areq", name, deal.namespace)
    return Holder(shop, "areq", name, deal.namespace, name, "Provisioned")


def assert_replaced(holder: Holder, before: dict[str, str]) -> None:
    """There is a fresh key that works, the one before works on for an hour, and there is no third."""
    after = holder.data()
    assert after["access-key-id"] != before["access-key-id"]
    assert {name: value for name, value in after.items() if name not in KEY_FIELDS} == {
        name: value for name, value in before.items() if name not in KEY_FIELDS
    }
    assert holder.works(after)
    assert holder.works(before)
    assert sorted(holder.keys()) == sorted([after["access-key-id"], before["access-key-id"]])
    assert 3500 < time.mktime(time.strptime(holder.former()["until"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime()) <= 3600
    holder.look()
    assert holder.data() == after


def assert_kept(holder: Holder, before: dict[str, str]) -> None:
    """The key is the same and the only one; the Secret says what it said, whatever others added."""
    holder.look()
    assert before.items() <= holder.data().items()
    assert holder.works(before)
    assert holder.keys() == [before["access-key-id"]]
    assert holder.says(holder.condition)["status"] == "True"


def bare(manifest: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A Secret as a backup has it: nothing that the API server wrote."""
    kept = {name: manifest["metadata"][name] for name in ("name", "namespace", "labels", "annotations")}
    return {**{name: manifest[name] for name in ("apiVersion", "kind", "type", "data")}, "metadata": {**kept, **metadata}}


def restore(holder: Holder, manifest: dict[str, Any]) -> None:
    """Deleted and created in one command: a look between the two would find the Secret lost, and make it and its key again."""
    holder.kubectl("replace", "--force", "-f", "-", stdin=json.dumps(manifest))


# What costs no key.


def test_a_field_of_somebody_elses_is_left_alone(holder: Holder) -> None:
    before = holder.data()
    holder.patch({"stringData": {"theirs": "1"}, "metadata": {"labels": {"team": "theirs"}, "annotations": {"theirs": "1"}}})
    assert_kept(holder, before)
    found = holder.manifest()
    assert holder.data() == {**before, "theirs": "1"}
    assert (found["metadata"]["labels"]["team"], found["metadata"]["annotations"]["theirs"]) == ("theirs", "1")


def test_a_forced_apply_of_what_is_there_costs_nothing(holder: Holder) -> None:
    before = holder.data()
    flags = ("--server-side", "--force-conflicts", "--field-manager=backup-tool", "-f", "-")
    for _ in range(2):
        holder.kubectl("apply", *flags, stdin=json.dumps(bare(holder.manifest())))
        assert_kept(holder, before)
    holder.kubectl("replace", "-f", "-", stdin=json.dumps(bare(holder.manifest())))
    assert_kept(holder, before)


def test_what_somebody_changed_and_changed_back_settles(holder: Holder) -> None:
    """A merge patch of the value that is there gives nobody the field; only a claim does."""
    before = holder.data()
    for region in ("theirs", before["region"]):
        holder.patch({"stringData": {"region": region}})
    assert_kept(holder, before)
    mark = holder.mesh.installed.cluster.audit.mark()
    holder.look()
    own = f"secrets/ {holder.namespace}/{holder.secret_name}"
    assert not [write for write in holder.mesh.writes_since(mark) if write.endswith(own)]


def test_fields_beside_the_key_are_as_written_again(holder: Holder) -> None:
    before = holder.data()
    holder.patch({"stringData": {"bucket": "theirs"}, "data": {"use-ssl": None, "endpoint-host": None, "addressing-style": None}})
    assert_kept(holder, before)
    assert holder.data() == before


def test_marks_that_somebody_took_off_are_put_back(holder: Holder) -> None:
    before, marks = holder.data(), holder.manifest()["metadata"]["annotations"]
    holder.patch({"metadata": {"annotations": dict.fromkeys(marks), "labels": {"app.kubernetes.io/managed-by": None}}})
    assert_kept(holder, before)
    found = holder.manifest()["metadata"]
    kept = {name: value for name, value in marks.items() if not name.endswith("issued-at")}
    assert kept.items() <= found["annotations"].items()
    assert found["labels"]["app.kubernetes.io/managed-by"] == "clouddatamesh"


def test_an_immutable_secret_is_kept_and_replaced_when_it_must_change(holder: Holder) -> None:
    before, uid = holder.data(), holder.manifest()["metadata"]["uid"]
    holder.patch({"immutable": True})
    assert_kept(holder, before)
    assert holder.manifest()["metadata"]["uid"] == uid
    holder.annotate(f"{ROTATE}=1")
    holder.mesh.installed.until(lambda: holder.data().get("access-key-id", "") not in ("", before["access-key-id"]), what="the rotation")
    assert_replaced(holder, before)
    assert holder.manifest()["metadata"]["uid"] != uid


# What costs the key, and nobody the hour.


def test_an_edited_key_is_replaced(holder: Holder) -> None:
    before = holder.data()
    holder.patch({"stringData": {"secret-access-key": "theirs"}})
    holder.look()
    assert_replaced(holder, before)


def test_an_edited_immutable_secret_is_replaced(holder: Holder) -> None:
    before = holder.data()
    holder.patch({"stringData": {"access-key-id": "theirs"}, "immutable": True})
    holder.look()
    assert_replaced(holder, before)


def test_a_secret_restored_without_its_owner_is_ours_again(holder: Holder) -> None:
    before = holder.data()
    restore(holder, bare(holder.manifest()))
    holder.look()
    assert_replaced(holder, before)
    (owner,) = holder.manifest()["metadata"]["ownerReferences"]
    assert owner["uid"] == holder.object()["metadata"]["uid"]


def test_a_secret_restored_as_another_type_is_ours_again(holder: Holder) -> None:
    before = holder.data()
    restore(holder, {**bare(holder.manifest()), "type": "Opaque"})
    holder.look()
    assert_replaced(holder, before)
    assert holder.manifest()["type"] == "servicebinding.io/s3"


def test_a_secret_of_an_earlier_incarnation_is_ours_again(holder: Holder) -> None:
    """A backup brings the Secret back; its object was made again meanwhile."""
    before, found = holder.data(), holder.manifest()
    mark = found["metadata"]["annotations"]["clouddatamesh.dev/owner"].rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    annotations = {**found["metadata"]["annotations"], "clouddatamesh.dev/owner": mark}
    restore(holder, bare(found, annotations=annotations))
    holder.look()
    assert_replaced(holder, before)


def test_a_secret_that_is_somebody_elses_stays_his(shop: Actors) -> None:
    made, other = a_producer(shop, "robbed"), a_producer(shop, "robber")
    holding = other.manifest()
    restore(made, bare(holding, name=made.secret_name))
    made.annotate("clouddatamesh.dev/reconcile-requested-at=now")
    shop.installed.until(lambda: made.says("CredentialsReady").get("reason") == "NotOwned", what="NotOwned")
    assert made.data() == other.data()
    assert other.works(other.data())


def test_a_deleted_secret_is_back_within_a_minute(shop: Actors) -> None:
    """Nobody asks for a look, and the drift interval is five minutes."""
    lost = [a_consumer(shop, "deleted-consumer"), a_producer(shop, "deleted-producer")]
    before = [made.data() for made in lost]
    for made in lost:
        made.kubectl("delete", "secret", made.secret_name)
    shop.installed.until(lambda: all(made.data() for made in lost), seconds=60, what="the Secrets")
    for made, data in zip(lost, before, strict=True):
        assert_replaced(made, data)


# Rotation of a producer's key.


def test_a_producers_key_is_rotated_and_a_second_wish_is_answered(shop: Actors) -> None:
    made = a_producer(shop, "rotating")
    before = made.data()
    made.annotate(f"{ROTATE}=1")
    shop.installed.until(lambda: made.data().get("access-key-id", "") not in ("", before["access-key-id"]), what="the rotation")
    shop.installed.wait("dataproduct", "rotating", "sales")
    assert_replaced(made, before)
    after = made.data()
    made.annotate(f"{ROTATE}=2")
    shop.installed.until(lambda: made.says("CredentialsReady")["reason"] == "RotationPending", what="an answer")
    told = made.says("CredentialsReady")
    assert made.former()["until"][11:16] in told["message"]
    assert f"{ROTATE}=2" in told["message"]
    assert (told["status"], made.says("Ready")["status"]) == ("True", "True")
    assert made.data() == after
    assert before["access-key-id"] not in json.dumps(made.object()["status"])


def test_a_consumers_second_wish_is_answered(shop: Actors) -> None:
    made = a_consumer(shop, "impatient")
    before = made.data()
    made.annotate(f"{ROTATE}=1")
    shop.installed.until(lambda: made.data().get("access-key-id", "") not in ("", before["access-key-id"]), what="the rotation")
    made.annotate(f"{ROTATE}=2")
    shop.installed.until(lambda: made.says("Provisioned").get("reason") == "RotationPending", what="an answer")
    assert_replaced(made, before)


# What a client needs besides.


def test_a_store_that_changes_is_told_to_clients_without_a_new_key(shop: Actors) -> None:
    made, spec = a_producer(shop, "informed"), {"endpointUrl": shop.store.endpoint, "region": shop.store.region, "bucketPrefix": STORE}
    before = made.data()
    host = shop.store.endpoint.removeprefix("http://")
    assert (before["endpoint-host"], before["use-ssl"], before["addressing-style"]) == (host, "false", "path")
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    changes: list[tuple[dict[str, Any], Callable[[], bool]]] = [
        ({"caBundle": _a_ca()}, lambda: made.data().get("ca.crt", "").startswith(pem[:27])),
        ({}, lambda: "ca.crt" not in made.data()),
    ]
    for change, told in changes:
        shop.installed.apply(annotated(a_store(STORE, **spec, **change), reconcile_requested_at=str(len(change))))
        shop.installed.until(told, seconds=60, what=f"the Secret after {list(change)}")
        shop.installed.wait("dataproduct", "informed", "sales", seconds=60)
    assert made.data() == before


def _a_ca() -> str:
    from tests.support.tls_door import TlsDoor

    with TlsDoor("http://127.0.0.1:1") as door:
        return door.ca
