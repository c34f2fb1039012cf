"""What a DataProduct's status records of its bucket, its ports and an adoption that is planned, and what it keeps where nothing is seen."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProductStatus
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.objects import Manifest
from clouddatamesh.model.takeover import FormerUser
from clouddatamesh.plan import names
from clouddatamesh.status.dataproduct import loss_fields
from tests.support.manifests import a_request
from tests.support.worlds import a_world, owned_tags, the_product, the_store
from tests.unit.product_scene import MINE, NAME, NOT_READY, OWNED, RECORDED, SILENT, STRANGERS, look, served

EARLIER: Final = "2025-12-31T23:00:00Z"
WRITTEN: Final[dict[str, Any]] = {
    "bucket": NAME,
    "uid": "uid-1",
    "region": "us-east-1",
    "regionFrom": "Store",
    "endpoint": "https://s3.test",
    "phase": "Owned",
    "ownershipVerified": True,
    "deletion": "Retain",
    "mayDelete": True,
    "managedTags": [],
}


def given_up(annotation: str = "orphan") -> ObjectStore:
    """An ObjectStore that is being deleted, and may go with everything that is in it."""
    store = the_store()
    gone = {"deletion_timestamp": EARLIER, "annotations": {f"clouddatamesh.dev/{annotation}": "main"}}
    return store.model_copy(update={"metadata": store.metadata.model_copy(update=gone)})


def identified(**spec: Any) -> ObjectStore:
    store = the_store(**spec)
    return store.model_copy(update={"status": store.status.model_copy(update={"store_id": "s1"})})


def adopted(told: str) -> Present[Bucket]:
    """A bucket that existed before the mesh had it."""
    return Present(Bucket(NAME, tags=owned_tags(adopted=told)))


@pytest.mark.parametrize(
    ("record", "spec", "parts", "differs"),
    [
        (OWNED, {}, {}, {}),
        ({**OWNED, "phase": "Creating", "ownershipVerified": False}, {}, {}, {}),
        ({**OWNED, "phase": "Adopted"}, {}, {}, {"phase": "Adopted", "deletion": "Retain", "mayDelete": False, "regionFrom": None}),
        (None, {"bucketName": NAME}, {}, {"phase": "Adopted", "regionFrom": None}),
        (OWNED, {}, {"bucket": adopted("keep")}, {"phase": "Adopted", "mayDelete": False, "regionFrom": None}),
        (OWNED, {"deletionPolicy": "Delete"}, {}, {"deletion": "Delete"}),
        (OWNED, {"deletionPolicy": "Delete", "forceDestroy": True}, {}, {"deletion": "Destroy"}),
        (OWNED, {"deletionPolicy": "Delete"}, {"bucket": adopted("keep")}, {"phase": "Adopted", "mayDelete": False, "regionFrom": None}),
        (OWNED, {"deletionPolicy": "Delete"}, {"bucket": adopted("may-delete")},
         {"phase": "Adopted", "deletion": "Delete", "regionFrom": None}),
        (OWNED, {"tags": {"team": "a", "cost": "b"}}, {}, {"managedTags": ["cost", "team"]}),
        (OWNED, {}, {"store": identified()}, {"storeId": "s1"}),
        (OWNED, {}, {"store": identified(endpointUrl=None)}, {"endpoint": "", "storeId": "s1", "regionFrom": None}),
        (OWNED, {}, {"region": ("eu-west-1", "Bucket")}, {"region": "eu-west-1", "regionFrom": "Bucket"}),
        ({**OWNED, "region": "eu-west-1", "regionFrom": "Bucket"}, {}, {}, {"region": "eu-west-1", "regionFrom": "Bucket"}),
        (OWNED, {}, {"store": given_up()}, {"abandoned": True}),
        (OWNED, {}, {"store": given_up("recreate")}, {}),
    ],
    ids=["as it was", "just made", "adopted before", "its record was lost", "adopted, as its tag says", "it may be deleted",
         "it may be emptied", "an adopted one stays", "an adopted one may go", "tags of its own", "the store has an id", "on AWS",
         "in another region", "known to be there", "its store is given up", "its store only goes"],
)  # fmt: skip
def test_what_is_recorded_of_a_bucket_that_was_read_back(
    record: dict[str, Any] | None, spec: dict[str, Any], parts: dict[str, Any], differs: dict[str, Any]
) -> None:
    """By this record it is found, judged and, where the spec and its owner let it, deleted."""
    product = served(status={**RECORDED, "storage": record}, storage_spec=spec)
    expected = {name: value for name, value in {**WRITTEN, **differs}.items() if value is not None}
    assert look(product, **parts).fields["storage"] == expected


@pytest.mark.parametrize(
    ("parts", "differs"),
    [
        ({"bucket": SILENT}, {}),
        ({"bucket": SILENT, "store": given_up()}, {"abandoned": True}),
        ({"bucket": SILENT, "store": None}, {}),
        ({"bucket": Absent()}, {}),
        ({"bucket": STRANGERS}, {"lossSeenAt": "2026-01-01T00:00:00Z"}),
    ],
    ids=["the store is silent", "the store is given up", "there is no store", "the bucket is gone", "it is another product's"],
)
def test_what_is_recorded_stays_where_the_bucket_is_not_read_back(parts: dict[str, Any], differs: dict[str, Any]) -> None:
    """Only that it is this product's is not said any more; since when another's marks are seen begins again."""
    record = {**WRITTEN, "storeId": "s1", "managedTags": ["team"], "lossSeenAt": EARLIER if parts["bucket"] != STRANGERS else None}
    found = look(served(status={**RECORDED, "storage": record}), **parts).fields["storage"]
    expected = {**record, "ownershipVerified": False, **differs}
    if "lossSeenAt" not in differs:
        del expected["lossSeenAt"]
    assert {**found, "managedTags": list(found["managedTags"])} == expected


def test_of_a_bucket_that_was_never_made_nothing_is_recorded() -> None:
    """Whatever becomes of its store."""
    for store in (the_store(), given_up(), None):
        assert "storage" not in look(served(status={}), bucket=Absent(), principal=Absent(), secret=Absent(), store=store).fields


# Loss.


@pytest.mark.parametrize(
    ("bucket", "record", "parts", "fields"),
    [
        (MINE, {}, {}, {}),
        (SILENT, {"lossSeenAt": EARLIER}, {}, {}),
        (STRANGERS, {}, {}, {"lossSeenAt": "2026-01-01T00:00:00Z"}),
        (STRANGERS, {"lossSeenAt": EARLIER}, {}, {"lossSeenAt": EARLIER}),
        (STRANGERS, {"lossSeenAt": "2026-01-01T00:03:00Z"}, {}, {"lossSeenAt": "2026-01-01T00:00:00Z"}),
        (STRANGERS, {}, {"is_time_trusted": False}, {}),
        (STRANGERS, {"lossSeenAt": EARLIER}, {"is_time_trusted": False}, {"lossSeenAt": EARLIER}),
        (STRANGERS, {}, {"losses": 10}, {"lossSeenAt": "2026-01-01T00:00:00Z", "lossBraked": True}),
        (STRANGERS, {"lossSeenAt": EARLIER, "lossBraked": True}, {}, {"lossSeenAt": EARLIER, "lossBraked": True}),
        (Present(Bucket(NAME, tags=owned_tags(released="sales/orders"))), {}, {}, {}),
        (STRANGERS, {"phase": "Creating", "ownershipVerified": False}, {}, {}),
        (STRANGERS, {}, {"store": None}, {}),
    ],
    ids=["it is this product's", "nothing is seen", "seen for the first time", "seen before", "the record lies ahead",
         "seen by a clock that is not trusted", "seen before by such a clock", "many were lost at once", "braked before",
         "its owner let it go", "it never was this product's", "there is no store"],
)  # fmt: skip
def test_since_when_anothers_marks_are_seen_is_recorded(
    bucket: Any, record: dict[str, Any], parts: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Credentials are taken only after a second look; a look that saw nothing begins again."""
    product = served(status={"storage": {**OWNED, **record}})
    assert loss_fields(product, a_world(bucket=bucket, **parts)) == fields


# Adoption.


def adopting(**status: Any) -> Any:
    """A product whose bucket consents to be adopted, and whose plan was told before."""
    planned = {"plan": ["x"], "adoption": {"bucket": "legacy", "plannedAt": EARLIER}}
    wish = {"storeRef": {"name": "main"}, "bucketName": "legacy", "adoptionPolicy": "IfConsented"}
    return the_product(storage=wish, status={**planned, **status})


CONSENTS: Final = Present(Bucket("legacy", tags=(("clouddatamesh.dev/adopt-by", "acme/sales/orders"),)))


@pytest.mark.parametrize(
    ("status", "parts", "since"),
    [
        ({}, {"bucket": CONSENTS}, "2026-01-01T00:00:00Z"),
        ({}, {"bucket": CONSENTS, "obstacle": NOT_READY}, EARLIER),
        ({}, {"bucket": SILENT}, EARLIER),
        ({}, {"bucket": Absent(), "obstacle": NOT_READY}, EARLIER),
        ({}, {"bucket": Absent()}, None),
        ({"storage": {**OWNED, "bucket": "legacy"}}, {"bucket": SILENT}, None),
        ({"adoption": None, "plan": []}, {"bucket": SILENT}, None),
        ({"adoption": None, "plan": []}, {"bucket": CONSENTS, "obstacle": NOT_READY}, None),
        ({}, {"bucket": CONSENTS, "is_time_trusted": False}, None),
    ],
    ids=["the plan changed", "something keeps it from being made", "the store is silent", "nothing is asked", "the bucket is gone",
         "it was adopted", "none was planned", "none was planned, and something is in the way", "a clock that is not trusted"],
)  # fmt: skip
def test_the_plan_of_an_adoption_is_told_until_it_was_carried_out(status: dict[str, Any], parts: dict[str, Any], since: str | None) -> None:
    """A store that is silent makes no new plan of it: the delay goes on."""
    fields = look(adopting(**status), store=the_store(adoptableBuckets=["legacy"]), **parts).fields
    assert fields.get("adoption") == ({"bucket": "legacy", "plannedAt": since} if since else None)
    assert (fields.get("plan") == ["x"]) is (since == EARLIER)


# Ports.


def reading(port: str, **status: Any) -> Manifest:
    """A request that has access to a port."""
    return {**a_request(outputPort={"name": port, "version": "1.3.0"}), "status": {"grantRef": {"uid": "uid-yes"}, **status}}


UNDECIDED: Final[Manifest] = a_request(outputPort={"name": "former", "version": "1.0.0"})
"""Nobody knows yet whether it has access."""


@pytest.mark.parametrize(
    ("requests", "bucket", "annotations", "ports"),
    [
        ((), MINE, {}, [("daily", 0, False, "s3://acme-orders/daily/")]),
        ((), SILENT, {}, [("daily", 0, False, None)]),
        ((reading("daily"), reading("daily")), MINE, {}, [("daily", 2, False, "s3://acme-orders/daily/")]),
        ((reading("former"),), MINE, {}, [("daily", 0, False, "s3://acme-orders/daily/"), ("former", 1, True, None)]),
        ((UNDECIDED,), MINE, {}, [("daily", 0, False, "s3://acme-orders/daily/"), ("former", 0, True, None)]),
        ((reading("former"),), MINE, {"clouddatamesh.dev/cut-off": "former/1.0.0"}, [("daily", 0, False, "s3://acme-orders/daily/")]),
        ((reading("former"),), MINE, {"clouddatamesh.dev/cut-off": "daily/1.0.0"},
         [("daily", 0, False, "s3://acme-orders/daily/"), ("former", 1, True, None)]),
    ],
    ids=["nobody reads", "the bucket is not read back", "two read", "one reads a port that left the spec", "whether one does is not known",
         "that port is cut off", "another port is cut off"],
)  # fmt: skip
def test_ports_are_told_with_their_consumers(
    requests: tuple[Manifest, ...], bucket: Any, annotations: dict[str, str], ports: list[tuple[str, int, bool, str | None]]
) -> None:
    """One that left the spec is told while anybody reads it, as it was; no field says null."""
    former = [{"name": "former", "version": "1.0.0", "path": "former/", "draining": True}]
    product = served(annotations=annotations, status={**RECORDED, "outputPorts": former})
    found = look(product, bucket=bucket, requests=requests).fields
    assert [(port["name"], port["consumers"], port["draining"], port.get("location")) for port in found["outputPorts"]] == ports
    assert all(None not in port.values() and port["path"] == f"{port['name']}/" for port in found["outputPorts"])
    DataProductStatus.model_validate({"outputPorts": found["outputPorts"]})


def test_requests_that_wait_for_the_owner_are_counted() -> None:
    """One that was refused is not."""
    conditions = [{"type": "Ready", "status": "Unknown", "reason": reason} for reason in ("AwaitingGrant", "AwaitingGrant", "Denied")]
    requests = tuple(reading("daily", conditions=[condition]) for condition in conditions)
    assert look(requests=requests).fields["pendingRequestCount"] == 2


# A lost cluster's user.

LOST: Final = "11111111-2222-3333-4444-555555555555"
PATH: Final = names.principal_path("acme", LOST)


@pytest.mark.parametrize(
    ("parts", "until"),
    [({}, "2026-01-01T01:00:00Z"), ({"secret": Absent()}, None), ({"bucket": SILENT}, None), ({"principal": SILENT}, None)],
    ids=["all was read back", "the Secret is missing", "the bucket is not read back", "the user is not read"],
)
def test_a_lost_clusters_user_works_for_an_hour_from_when_credentials_were_read_back(parts: dict[str, Any], until: str | None) -> None:
    """Nobody loses access before the new key is in its Secret."""
    formers = (FormerUser(LOST, PATH, "former", Present(Principal("former", PATH))),)
    assert look(formers=formers, **parts).fields.get("takeOver", {}).get("until") == until
