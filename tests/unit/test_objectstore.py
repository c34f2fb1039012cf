"""An ObjectStore: by what it is known again, what is refused of another one, and its end."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import MeshError, Transient
from clouddatamesh.model.bucket import IDENTITIES, Bucket, Capability, Tags
from clouddatamesh.model.evidence import Absent, Present, Seen, Unknown
from clouddatamesh.model.identity import AccessKey, Principal
from clouddatamesh.model.objects import Key
from clouddatamesh.model.operations import Announce, HoldObject, Record, ReleaseObject
from clouddatamesh.model.plan import Part
from clouddatamesh.model.store_operations import (
    CreateBucket,
    CreatePrincipal,
    DeleteKey,
    DeletePolicy,
    DetachPolicy,
    LeaveGroup,
    MarkBucket,
    UpdateBucket,
)
from clouddatamesh.model.world import StoreWorld
from clouddatamesh.plan import names
from clouddatamesh.plan.objectstore import IDENTIFIED, find_strangeness, mesh_tags, plan
from clouddatamesh.plan.store_deletion import plan_deletion
from tests.support.manifests import a_store
from tests.support.worlds import CLUSTER, SETTINGS, START

BUCKET: Final = names.mesh_bucket_name("acme", "acme")
MARKER: Final = names.marker_name("acme", CLUSTER, "u")
OTHER: Final = "11111111-2222-3333-4444-555555555555"
OURS: Final = mesh_tags("acme", CLUSTER)
USERS: Final = (Capability(IDENTITIES, "Yes"),)
KNOWN: Final = {"bucket": BUCKET, "bucketPhase": "Owned", "account": "1", "mesh": "acme", "marker": MARKER}
TOLD_APART: Final = (("clouddatamesh.dev/store-id", "u"), ("clouddatamesh.dev/marker", MARKER))
MARKED: Final = Present(Bucket(BUCKET, tags=(*OURS, *TOLD_APART)))
UNMARKED: Final = Present(Bucket(BUCKET, tags=(*OURS, TOLD_APART[0])))
SILENT: Final = Unknown(Transient("StoreUnavailable", "The store does not answer"))
Told = dict[str, Any] | None
A_MARKER: Final = Principal(MARKER, names.principal_path("acme", CLUSTER))


def store(
    *, status: dict[str, Any] | None = None, annotations: dict[str, str] | None = None, held: bool = True, **spec: Any
) -> ObjectStore:
    """A store that was made before, as the API server holds it."""
    manifest = a_store(**spec)
    finalizers = ["clouddatamesh.dev/finalizer"] if held else []
    metadata = {**manifest["metadata"], "uid": "u", "generation": 1, "finalizers": finalizers, "annotations": annotations or {}}
    return ObjectStore.model_validate({**manifest, "metadata": metadata, "status": KNOWN if status is None else status})


def world(**parts: Any) -> StoreWorld:
    """A world in which the store is as it was."""
    plain: dict[str, Any] = {
        "mesh_bucket": MARKED,
        "marker": Present(A_MARKER),
        "account": Present("1"),
    }
    probed = {"capabilities": USERS, "freshly_probed": True}
    return StoreWorld(**{"now": START, "settings": SETTINGS, "cluster": CLUSTER, **plain, **probed, **parts})


def part(name: str, found: ObjectStore, seen: StoreWorld) -> Part:
    """One part of the plan; an empty one where there is none of that name."""
    return next((part for part in plan(found, seen).parts if part.name == name), Part(name))


def kinds(found: Part) -> list[type[Any]]:
    return [type(operation) for operation in found.operations]


def test_a_store_that_is_as_it_was_is_left_alone() -> None:
    assert all(found.is_settled for found in plan(store(), world()).parts)


def test_a_store_that_does_not_answer_is_neither_made_nor_swept() -> None:
    (only,) = plan(store(), world(account=SILENT)).parts
    assert (only.operations, only.stop, only.condition) == ((), SILENT.error, "CredentialsValid")


@pytest.mark.parametrize(
    ("status", "annotations", "mesh", "account", "reason"),
    [
        (KNOWN, {}, "acme", "1", ""),
        (KNOWN, {}, "amce", "1", reasons.OTHER_MESH),
        ({**KNOWN, "bucketPhase": "Creating"}, {}, "amce", "1", ""),
        ({}, {}, "amce", "1", ""),
        (KNOWN, {}, "acme", "2", reasons.NOT_THE_SAME_STORE),
        (KNOWN, {"clouddatamesh.dev/account": "2"}, "acme", "2", ""),
        (KNOWN, {"clouddatamesh.dev/account": "3"}, "acme", "2", reasons.NOT_THE_SAME_STORE),
        ({**KNOWN, "account": None}, {}, "acme", "2", ""),
        (KNOWN, {}, "acme", "", ""),
    ],
)
def test_another_mesh_or_account_is_refused_before_anything_is_made(
    status: dict[str, Any], annotations: dict[str, str], mesh: str, account: str, reason: str
) -> None:
    found = store(status=status, annotations=annotations)
    seen = world(settings=replace(SETTINGS, mesh=mesh), account=Present(account) if account else Absent())
    strange = find_strangeness(found, seen)
    assert (strange.reason if strange else "") == reason
    if reason:
        (only,) = plan(found, seen).parts
        assert (only.operations, only.stop is not None, only.condition) == ((), True, IDENTIFIED)


def bucket(tags: Tags, **differs: Any) -> Seen[Bucket]:
    return Present(Bucket(BUCKET, tags=tags, **differs))


def tags(**differs: str) -> Tags:
    """The tags of the mesh's bucket; an empty one is left out."""
    every = {**dict(OURS), **{f"clouddatamesh.dev/{name}": value for name, value in differs.items()}}
    return tuple(sorted((key, value) for key, value in every.items() if value))


NOBODYS: Final = (("team", "a"),)
MAKING: Final = {**KNOWN, "bucketPhase": "Creating"}
LOST: Final = {"marker": Absent(), "known_principal": False}
CASES: Final[tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...]] = (
    ("a new store", {"status": {}}, {"mesh_bucket": Absent()}, "made"),
    ("interrupted before the bucket was made", {"status": MAKING}, {"mesh_bucket": Absent()}, "made"),
    ("interrupted before it was marked", {"status": MAKING}, {"mesh_bucket": bucket(())}, "marked"),
    ("it is not at this endpoint", {}, {"mesh_bucket": Absent()}, reasons.NOT_THE_SAME_STORE),
    ("it is lost, which is accepted", {"annotations": {"clouddatamesh.dev/recreate": BUCKET}}, {"mesh_bucket": Absent()}, "made"),
    (
        "another's loss is accepted",
        {"annotations": {"clouddatamesh.dev/recreate": "x"}},
        {"mesh_bucket": Absent()},
        reasons.NOT_THE_SAME_STORE,
    ),
    ("it cannot be read", {}, {"mesh_bucket": SILENT}, "StoreUnavailable"),
    ("another cluster's", {}, {"mesh_bucket": bucket(tags(cluster=OTHER))}, reasons.STORE_IN_USE),
    ("another cluster's, no record", {"status": {}}, {"mesh_bucket": bucket(tags(cluster=OTHER))}, reasons.STORE_IN_USE),
    ("another cluster's that is gone", {"status": {}, "takeOverFrom": OTHER}, {"mesh_bucket": bucket(tags(cluster=OTHER))}, "marked"),
    (
        "of a cluster that is gone, and of another store than the one that was recorded",
        {"status": {**KNOWN, "storeId": "v"}, "takeOverFrom": OTHER},
        {"mesh_bucket": bucket(tags(cluster=OTHER, **{"store-id": "u"}))},
        reasons.NOT_THE_SAME_STORE,
    ),
    (
        "of a cluster that is gone, and it does not say of which store",
        {"status": {**KNOWN, "storeId": "v"}, "takeOverFrom": OTHER},
        {"mesh_bucket": bucket(tags(cluster=OTHER))},
        reasons.NOT_THE_SAME_STORE,
    ),
    (
        "of a cluster that is gone, and the loss of the recorded store is accepted",
        {"status": {**KNOWN, "storeId": "v"}, "takeOverFrom": OTHER, "annotations": {"clouddatamesh.dev/recreate": BUCKET}},
        {"mesh_bucket": bucket(tags(cluster=OTHER))},
        "marked",
    ),
    (
        "another mesh's of a cluster that is gone",
        {"takeOverFrom": OTHER},
        {"mesh_bucket": bucket(tags(mesh="b", cluster=OTHER))},
        reasons.STORE_IN_USE,
    ),
    ("nobody's, no record", {"status": {}}, {"mesh_bucket": bucket(NOBODYS)}, reasons.NOT_OWNED),
    ("nobody's, no tag, no record", {"status": {}}, {"mesh_bucket": bucket(())}, reasons.NOT_OWNED),
    ("tags were stripped, and the marker is there", {}, {"mesh_bucket": bucket(NOBODYS)}, "marked"),
    ("tags were stripped, and a principal is known", {}, {"mesh_bucket": bucket(NOBODYS), **LOST, "known_principal": True}, "marked"),
    ("tags were stripped, and nothing proves the store", {}, {"mesh_bucket": bucket(NOBODYS), **LOST}, reasons.NOT_OWNED),
    ("one tag was stripped", {}, {"mesh_bucket": bucket(tags(cluster=""))}, "marked"),
    ("one tag was stripped, and another is foreign", {}, {"mesh_bucket": bucket(tags(cluster="", mesh="b"))}, reasons.NOT_OWNED),
    ("another account's bucket", {}, {"mesh_bucket": bucket((), is_of_other_account=True)}, reasons.NOT_OWNED),
    (
        "another account's bucket, while it was made",
        {"status": MAKING},
        {"mesh_bucket": bucket((), is_of_other_account=True)},
        reasons.NOT_OWNED,
    ),
)


@pytest.mark.parametrize(("differs", "parts", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_whose_the_meshs_bucket_is(differs: dict[str, Any], parts: dict[str, Any], wanted: str) -> None:
    found = part("bucket", store(**differs), world(**parts))
    if found.stop is not None:
        assert (found.stop.reason, found.operations) == (wanted, ())
    else:
        assert kinds(found) == {"made": [Record, CreateBucket, MarkBucket], "marked": [UpdateBucket]}[wanted]
        assert found.after == ("hold",)


@pytest.mark.parametrize("told", ["u", ""])
def test_what_is_taken_over_is_never_marked_as_the_store_that_was_recorded(told: str) -> None:
    found = store(status={**KNOWN, "storeId": "v"}, takeOverFrom=OTHER, annotations={"clouddatamesh.dev/recreate": BUCKET})
    (update,) = part("bucket", found, world(mesh_bucket=bucket(tags(cluster=OTHER, **{"store-id": told})))).operations
    assert isinstance(update, UpdateBucket)
    now = dict(update.want.tags)["clouddatamesh.dev/store-id"]
    assert now == told if told else now not in ("u", "v", "")


def test_tags_of_others_stay_when_ours_are_written_again() -> None:
    kept = ("team", "kim")
    (update,) = part("bucket", store(), world(mesh_bucket=bucket((kept,)))).operations
    assert isinstance(update, UpdateBucket)
    assert set(update.want.tags) >= {kept, *OURS}


def test_the_object_is_held_before_anything_is_made() -> None:
    assert kinds(part("hold", store(held=False, status={}), world(mesh_bucket=Absent()))) == [HoldObject]


def test_nothing_is_swept_while_the_store_is_not_known_again() -> None:
    swept = {"orphans": ("x",), "due_orphans": (Principal("x", names.principal_path("acme", CLUSTER)),)}
    told = {**KNOWN, "orphans": [{"name": "x", "seenAt": "2025-12-31T00:00:00Z", "disabledAt": "2025-12-31T00:00:00Z"}]}
    assert part("sweep of x", store(status=told), world(**swept)).operations != ()
    parts = plan(store(status=told), world(**swept)).parts
    assert {found.name for found in parts if found.each} == {found.name for found in parts if found.minor} == {"sweep of x", "unclaimed"}
    for doubt in ({"mesh_bucket": Absent()}, {"mesh_bucket": SILENT}, {"marker": SILENT}, LOST):
        assert part("sweep of x", store(status=told), world(**{**swept, **doubt})).operations == ()


MARKERS: Final[tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...]] = (
    ("a store without users needs none", {}, {"capabilities": (), "marker": Absent()}, ""),
    ("it is there and recorded", {}, {}, ""),
    ("it is there and not recorded yet", {"status": {**KNOWN, "marker": None}}, {}, "recorded"),
    ("it was never made", {"status": {**KNOWN, "marker": None}}, {"marker": Absent(), "mesh_bucket": UNMARKED}, "made"),
    (
        "it was made, as the bucket tells, and status is lost",
        {"status": {**KNOWN, "marker": None}},
        {"marker": Absent()},
        reasons.NOT_THE_SAME_STORE,
    ),
    ("it is not at this endpoint", {}, {"marker": Absent()}, reasons.NOT_THE_SAME_STORE),
    ("it was deleted by hand: other users of ours are there", {}, {"marker": Absent(), "known_principal": True}, "made"),
    ("its loss is accepted", {"annotations": {"clouddatamesh.dev/recreate": MARKER}}, {"marker": Absent()}, "made"),
    ("the loss of the whole store is accepted", {"annotations": {"clouddatamesh.dev/recreate": BUCKET}}, {"marker": Absent()}, "made"),
    ("it cannot be read", {}, {"marker": SILENT}, "StoreUnavailable"),
    ("a stranger has its name", {}, {"marker": Present(Principal(MARKER, "/"))}, reasons.NOT_OWNED),
)


@pytest.mark.parametrize(("differs", "parts", "wanted"), [case[1:] for case in MARKERS], ids=[case[0] for case in MARKERS])
def test_the_user_by_which_the_iam_endpoint_is_known(differs: dict[str, Any], parts: dict[str, Any], wanted: str) -> None:
    found = part("marker", store(**differs), world(**parts))
    if found.stop is not None:
        assert (found.stop.reason, found.operations) == (wanted, ())
    else:
        assert kinds(found) == {"": [], "recorded": [Record], "made": [CreatePrincipal]}[wanted]


def test_rights_and_keys_that_somebody_gave_the_marker_are_taken_off() -> None:
    armed = replace(A_MARKER, policy=(), other_policies=("mine",), attached=("arn:a",), groups=("office",), keys=(AccessKey("k", True),))
    found = part("marker", store(), world(marker=Present(armed)))
    assert kinds(found) == [DeletePolicy, DeletePolicy, DetachPolicy, LeaveGroup, DeleteKey]


# Deletion.


def released(found: ObjectStore, seen: StoreWorld) -> tuple[list[type[Any]], MeshError | None]:
    last = plan_deletion(found, seen).parts[-1]
    return kinds(last), last.stop


def test_a_store_that_nobody_uses_goes_whether_it_answers_or_not() -> None:
    for account in (Present("1"), SILENT):
        assert released(store(), world(account=account)) == ([ReleaseObject], None)
    assert plan_deletion(store(held=False), world()).parts == ()


def test_a_store_waits_for_those_who_use_it() -> None:
    users = tuple(Key("DataProduct", "sales", f"p{n}") for n in range(7))
    done, stop = released(store(), world(users=users))
    assert done == []
    assert stop is not None
    assert stop.reason == reasons.IN_USE
    assert "and 2 more" in stop.message


def test_a_store_that_is_given_up_waits_for_records_of_access_and_lists_what_is_left() -> None:
    orphaned = store(annotations={"clouddatamesh.dev/orphan": "main"})
    product, request = Key("DataProduct", "sales", "orders"), Key("AccessRequest", "inventory", "r")
    left = (f"{product}: bucket acme-orders, principal sales-orders",)
    done, stop = released(orphaned, world(users=(product, request), holders=(request,), left=left))
    assert done == []
    assert stop is not None
    assert stop.reason == reasons.DELETING
    told, release = plan_deletion(orphaned, world(users=(product,), left=left)).parts[-1].operations
    assert isinstance(told, Announce)
    assert (told.event.type, str(product) in told.event.note) == ("Warning", True)
    assert isinstance(release, ReleaseObject)
