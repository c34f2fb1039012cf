"""Whose is this bucket: every verdict, by what tags, status and witness say. The ids are the rule."""

from typing import Any, Final

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.errors import Transient
from clouddatamesh.model.access import Home
from clouddatamesh.model.bucket import Bucket, Contents, LifecycleRule, Tags
from clouddatamesh.model.evidence import Absent, Present, Unknown
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.names import bucket_name, marker_name, mesh_bucket_name, scratch_bucket_name
from clouddatamesh.plan.ownership import judge
from clouddatamesh.plan.rules import witness_of
from tests.support.worlds import a_world, owned_tags, the_product, the_store

NAME: Final = "acme-orders-abc"
CREATING: Final = {"storage": {"bucket": NAME, "phase": "Creating"}}
OWNED: Final = {"storage": {"bucket": NAME, "phase": "Owned"}}
ADOPTED: Final = {"storage": {"bucket": NAME, "phase": "Adopted"}}
CONSENT: Final = (("clouddatamesh.dev/adopt-by", "acme/sales/orders"),)
FREE: Final = (("clouddatamesh.dev/adopt-by", "acme/sales/orders;may-delete"),)
CONSENTING: Final = {"storeRef": {"name": "main"}, "adoptionPolicy": "IfConsented"}
NEVER: Final = {"storeRef": {"name": "main"}, "adoptionPolicy": "Never"}
EMPTY: Final = {"contents": Present(Contents())}
FULL: Final = {"contents": Present(Contents(versions=1))}
NOT_COUNTED: Final = {"contents": Unknown(Transient("StoreUnavailable", "It does not answer"))}
COMMERCE: Final = {"home": Home("commerce"), "namespace_uid": "uid-new"}
LOST: Final = "11111111-2222-3333-4444-555555555555"
TAKING: Final = {"store": the_store(takeOverFrom=LOST)}
TEAM: Final = (("team", "a"),)


def not_ours(**status: Any) -> dict[str, Any]:
    """A store that bears another cluster's mark, or whose status tells of that one's marker."""
    store = the_store()
    return {"store": store.model_copy(update={"status": type(store.status).model_validate(status)})}


_SAID: Final = {"type": "Ready", "status": "False", "reason": "StoreInUseByOtherCluster"}
IN_USE: Final = not_ours(conditions=[{**_SAID, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}])
RESTORED: Final = not_ours(storeId="uid-main", marker=marker_name("acme", "uid-other", "uid-main"))
LOOKED_AT: Final = not_ours(storeId="uid-main", marker=marker_name("acme", "uid-kube-system", "uid-main"))

ALIVE: Final = {"uid_lives": True}


def tagged(*args: str, witness: str = "", **tags: str) -> Bucket:
    """A bucket with marks; an empty mark is left out."""
    return Bucket(NAME, tags=owned_tags(*args, **tags), lifecycle=_rules(witness))


def stripped(tags: Tags = (), *, witness: str = "") -> Bucket:
    """A bucket without our marks."""
    return Bucket(NAME, tags=tags, lifecycle=_rules(witness))


def _rules(witness: str) -> tuple[LifecycleRule, ...]:
    return (witness_of(witness),) if witness else ()


def recreating(bucket: str) -> DataProduct:
    """A product whose owner accepts the loss of a bucket."""
    return the_product(status=OWNED, annotations={"clouddatamesh.dev/recreate": bucket})


NEW: Final = the_product()
OLD: Final = the_product(status=OWNED)
MAKING: Final = the_product(status=CREATING)
REFUSING: Final = the_product(storage=NEVER)
Case = tuple[str, DataProduct, Bucket | None, dict[str, Any], str]

ABSENT: Final[tuple[Case, ...]] = (
    ("no bucket and no record", NEW, None, {}, "Absent"),
    ("no bucket and an interrupted record", MAKING, None, {}, "Absent"),
    ("no bucket though it existed", OLD, None, {}, "Missing"),
    ("no bucket though it was adopted", the_product(status=ADOPTED), None, {}, "Missing"),
    ("missing, and its loss accepted", recreating(NAME), None, {}, "Absent"),
    ("missing, and another bucket's loss accepted", recreating("x"), None, {}, "Missing"),
)

MARKED: Final[tuple[Case, ...]] = (
    ("all marks", NEW, tagged(), {}, "Mine"),
    ("all marks, and an own record", OLD, tagged(), {}, "Mine"),
    ("marks of another namespace", NEW, tagged("inventory"), {}, "Foreign+"),
    ("marks of another name", NEW, tagged("sales", "returns"), {}, "Foreign+"),
    ("marks of another mesh", NEW, tagged(mesh="other"), {}, "Foreign+"),
    ("marks of another cluster", NEW, tagged(cluster="uid-other"), {}, "Foreign+"),
    ("marks of another cluster, and an own record", OLD, tagged(cluster="uid-other"), {}, "Foreign+"),
    ("marks of another cluster, as the whole store", NEW, tagged(cluster="uid-other"), IN_USE, "Foreign"),
    ("marks of another cluster, as the whole store, and an own record", OLD, tagged(cluster="uid-other"), IN_USE, "Foreign"),
    ("marks of another cluster, as those that the store's status tells of", OLD, tagged(cluster="uid-other"), RESTORED, "Foreign"),
    ("marks of another cluster in a store of this one", OLD, tagged(cluster="uid-other"), LOOKED_AT, "Foreign+"),
    ("marks of another namespace in another cluster's store", OLD, tagged("inventory"), IN_USE, "Foreign+"),
    ("marks of another namespace, and an own record", OLD, tagged("inventory"), {}, "Foreign+"),
    ("a mesh of before it knew its cluster", NEW, tagged(cluster="", domain="", namespace_uid=""), {}, "Mine"),
    ("the uid of a product that is gone", NEW, tagged(uid="gone"), {}, "Returning"),
    ("the uid of a living product", NEW, tagged(uid="alive"), ALIVE, "Foreign+"),
    ("the uid of a living product, and an own record", OLD, tagged(uid="alive"), ALIVE, "Foreign+"),
    ("the uid of a product that is gone, adoption Never", REFUSING, tagged(uid="gone"), {}, "Foreign"),
    ("a new namespace of that name, of the same domain", NEW, tagged(uid="gone"), {"namespace_uid": "uid-new"}, "Returning"),
    ("a new namespace of that name, of another domain", NEW, tagged(uid="gone"), COMMERCE, "Foreign"),
    (
        "a new namespace of that name, of another domain, and the platform team hands it over",
        NEW,
        tagged(uid="gone", transfer_to="sales/orders"),
        COMMERCE,
        "Transferred",
    ),
    (
        "a new namespace of that name, of another domain, and it is handed over to somebody else",
        NEW,
        tagged(uid="gone", transfer_to="sales/other"),
        COMMERCE,
        "Foreign",
    ),
    ("a new namespace of that name, of no domain", NEW, tagged(uid="gone"), {**COMMERCE, "home": None}, "Foreign"),
    ("the same namespace, now of another domain", NEW, tagged(uid="gone"), {"home": Home("commerce")}, "Returning"),
    ("a new namespace, and a bucket that does not say of which domain", NEW, tagged(uid="gone", domain=""), COMMERCE, "Foreign"),
    ("a new namespace, and a bucket of before namespaces were known", NEW, tagged(uid="gone", namespace_uid=""), COMMERCE, "Returning"),
    ("handed over", NEW, tagged("inventory", transfer_to="sales/orders"), {}, "Transferred"),
    ("handed over to somebody else", NEW, tagged("inventory", transfer_to="sales/other"), {}, "Foreign+"),
    ("handed over by another mesh", NEW, tagged("inventory", mesh="other", transfer_to="sales/orders"), {}, "Foreign+"),
    ("handed over by another cluster", NEW, tagged("inventory", cluster="uid-other", transfer_to="sales/orders"), {}, "Foreign+"),
    ("handed over, adoption Never", REFUSING, tagged("inventory", transfer_to="sales/orders"), {}, "Foreign+"),
)

TAKEN_OVER: Final[tuple[Case, ...]] = (
    ("a lost cluster's whose store is taken over", NEW, tagged(cluster=LOST, uid="gone"), TAKING, "Returning"),
    ("a lost cluster's, restored with its uid", NEW, tagged(cluster=LOST), TAKING, "Mine"),
    ("a lost cluster's, of another domain", NEW, tagged(cluster=LOST, uid="gone"), {**TAKING, **COMMERCE}, "Withheld"),
    ("a lost cluster's, of another namespace", NEW, tagged("inventory", cluster=LOST), TAKING, "Foreign+"),
    ("a lost cluster's, of another mesh", NEW, tagged(mesh="other", cluster=LOST), TAKING, "Foreign+"),
    ("a lost cluster's, handed over", NEW, tagged("inventory", cluster=LOST, transfer_to="sales/orders"), TAKING, "Transferred"),
    ("a lost cluster's, adoption Never", REFUSING, tagged(cluster=LOST, uid="gone"), TAKING, "Withheld"),
    ("without marks, where a lost cluster's store is taken over", NEW, stripped(), TAKING, "Withheld"),
    ("with a stranger's tag alone, where a lost cluster's store is taken over", NEW, stripped(TEAM), TAKING, "Withheld"),
    ("made by somebody meanwhile, where a lost cluster's store is taken over", MAKING, stripped(TEAM), TAKING, "Foreign+"),
    ("a cluster's that nobody takes over", NEW, tagged(cluster=LOST, uid="gone"), {}, "Foreign+"),
    ("another cluster's than the one that is taken over", NEW, tagged(cluster="uid-other", uid="gone"), TAKING, "Foreign+"),
)

VANISHED: Final[tuple[Case, ...]] = (
    ("one mark vanished", OLD, tagged(name=""), {}, "Mine"),
    ("all marks but the uid vanished", OLD, tagged("", "", mesh="", cluster="", domain="", namespace_uid=""), {}, "Mine"),
    ("the uid vanished", OLD, tagged(uid=""), {}, "Mine"),
    ("the uid vanished, and there is no record", NEW, tagged(uid=""), {}, "Returning"),
    ("the uid vanished, no record, adoption Never", REFUSING, tagged(uid=""), {}, "Foreign"),
    ("another's uid, and the other marks vanished, no record", NEW, tagged("", "", mesh="", uid="x"), {}, "Foreign+"),
    ("another's uid, and the other marks vanished, an own record", OLD, tagged("", "", mesh="", uid="x"), {}, "Returning"),
    ("a living product's uid alone, an own record", OLD, tagged("", "", mesh="", uid="x"), ALIVE, "Foreign+"),
    ("all marks vanished, and the witness is there", OLD, stripped(witness="uid-1"), {}, "Mine"),
    ("all marks vanished, foreign tags and the witness are there", OLD, stripped(TEAM, witness="uid-1"), {}, "Mine"),
    ("all marks vanished, and there is no witness", OLD, stripped(), {}, "MarksMissing"),
    ("all marks vanished, and the witness is another's", OLD, stripped(witness="uid-2"), {}, "MarksMissing"),
    ("all marks of an adopted bucket vanished", the_product(status=ADOPTED), stripped(TEAM), {}, "MarksMissing"),
    ("all marks vanished, no witness, and a new consent", OLD, stripped(CONSENT), {}, "Consented"),
    (
        "all marks vanished, no witness, and a consent for another",
        OLD,
        stripped((("clouddatamesh.dev/adopt-by", "x"),)),
        {},
        "MarksMissing",
    ),
    ("all marks vanished, and no record: the witness alone gives nothing", NEW, stripped(witness="uid-1"), {}, "Foreign"),
)

UNMARKED: Final[tuple[Case, ...]] = (
    ("no marks", NEW, stripped(), EMPTY, "Foreign"),
    ("no marks, empty, a Creating record", MAKING, stripped(), EMPTY, "Made"),
    ("no marks, not empty, a Creating record", MAKING, stripped(), FULL, "Foreign+"),
    ("no marks, not counted, a Creating record", MAKING, stripped(), {}, "Foreign"),
    ("no marks, the count is not known, a Creating record", MAKING, stripped(), NOT_COUNTED, "Foreign"),
    ("a stranger's tag, empty, a Creating record", MAKING, stripped(TEAM), EMPTY, "Foreign+"),
    ("consent, adoption IfConsented", the_product(storage=CONSENTING), stripped(CONSENT), {}, "Consented"),
    ("consent, adoption IfOwned", NEW, stripped(CONSENT), {}, "Foreign"),
    ("consent for somebody else", the_product(storage=CONSENTING, namespace="other"), stripped(CONSENT), {}, "Foreign"),
    ("consent that allows deletion", the_product(storage=CONSENTING), stripped(FREE), {}, "Consented"),
    (
        "consent with words that mean nothing",
        the_product(storage=CONSENTING),
        stripped(((CONSENT[0][0], f"{CONSENT[0][1]};x"),)),
        {},
        "Foreign",
    ),
    (
        "consent for a name that begins so",
        the_product(storage=CONSENTING),
        stripped(((CONSENT[0][0], f"{CONSENT[0][1]}-x"),)),
        {},
        "Foreign",
    ),
    ("consent beside another's marks", the_product(storage=CONSENTING), stripped((*CONSENT, *owned_tags("x"))), {}, "Foreign+"),
)

ELSEWHERE: Final[tuple[Case, ...]] = (
    ("an older product names it, and it carries these marks", OLD, tagged(), {"rival": Key("DataProduct", "sales", "first")}, "Mine"),
    ("an older product names it, and it is not there", NEW, None, {"rival": Key("DataProduct", "sales", "first")}, "Foreign"),
    ("another account's", NEW, Bucket(NAME, is_of_other_account=True), {}, "Foreign+"),
    ("another account's, and an own record", OLD, Bucket(NAME, is_of_other_account=True), {}, "Foreign+"),
    ("let go", OLD, tagged(released="sales/orders"), {}, "Released"),
    ("let go, without any mark", OLD, stripped((("clouddatamesh.dev/released", "sales/orders"),)), {}, "Released"),
    ("somebody else's letting go", OLD, tagged(released="sales/other"), {}, "Mine"),
)

GENERATED, ITS_OWN = "acme-orders-abcdefghijklmnop", bucket_name("acme", "acme", Key("DataProduct", "sales", "orders"))
ANY_NAME: Final = {"store": the_store(adoptableBuckets=["*"])}
NAMES: Final[tuple[tuple[str, str, dict[str, Any], Tags, str], ...]] = (
    ("a name with the prefix", "acme-old", {}, (), ""),
    ("a name that no pattern lists", "legacy", {}, (), "does not list its name"),
    (
        "a name that another pattern lists",
        "legacy",
        {"store": the_store(adoptableBuckets=["old-*", "legacy-*"])},
        (),
        "does not list its name",
    ),
    ("a name that a pattern lists", "legacy-orders", {"store": the_store(adoptableBuckets=["old-*", "legacy-*"])}, (), ""),
    ("a name that is listed as it is", "legacy", {"store": the_store(adoptableBuckets=["legacy"])}, (), ""),
    (
        "a name that a pattern matches in part",
        "my-legacy-a",
        {"store": the_store(adoptableBuckets=["legacy-*"])},
        (),
        "does not list its name",
    ),
    ("a pattern with two stars", "a-legacy-b", {"store": the_store(adoptableBuckets=["*-legacy-*"])}, (), ""),
    ("any name", "legacy", ANY_NAME, (), ""),
    ("a generated name", GENERATED, ANY_NAME, (), "generated name"),
    ("the product's own generated name", ITS_OWN, {}, (), ""),
    ("the mesh's own bucket", mesh_bucket_name("acme", "acme"), ANY_NAME, owned_tags("", "", uid="", role="mesh"), "a mesh's own"),
    ("the mesh's own bucket, stripped", mesh_bucket_name("acme", "acme"), ANY_NAME, (), "generated name"),
    ("another mesh's own bucket", mesh_bucket_name("acme", "b"), ANY_NAME, (), "generated name"),
    ("a probe's bucket", scratch_bucket_name("acme", "acme", "main"), ANY_NAME, (("clouddatamesh.dev/probe", "true"),), "a mesh's own"),
    ("a probe's bucket, stripped", scratch_bucket_name("acme", "acme", "main"), ANY_NAME, (), "generated name"),
    ("a bucket that says which store it marks", "legacy", ANY_NAME, (("clouddatamesh.dev/store-id", "x"),), "a mesh's own"),
)


@pytest.mark.parametrize(("name", "parts", "tags", "why"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_which_buckets_consent_makes_adoptable(name: str, parts: dict[str, Any], tags: Tags, why: str) -> None:
    told = tuple(one for one in tags if one[0] not in ("clouddatamesh.dev/namespace-uid", "clouddatamesh.dev/domain"))
    bucket = Bucket(name, tags=(*told, *CONSENT))
    claim = judge(the_product(storage={**CONSENTING, "bucketName": name}), name, a_world(bucket=Present(bucket), **parts))
    assert (claim.verdict, claim.is_new) == (("Foreign", False) if why else ("Consented", True))
    assert why in claim.why
    assert not claim.positive


def test_only_what_was_never_the_meshs_is_adopted_by_a_plan() -> None:
    world = a_world(bucket=Present(stripped(CONSENT)))
    assert not judge(OLD, NAME, world).is_new
    assert judge(the_product(storage=CONSENTING), NAME, world).is_new


def test_who_asks_for_adoption_already_is_not_told_to_ask_for_it() -> None:
    world = a_world(bucket=Present(stripped()))
    asked, unasked = judge(the_product(storage=CONSENTING), NAME, world).why, judge(NEW, NAME, world).why
    assert "set adoptionPolicy" in unasked and "set adoptionPolicy" not in asked
    assert "adopt-by=acme/sales/orders" in unasked and "adopt-by=acme/sales/orders" in asked


CASES: Final = (*ABSENT, *MARKED, *TAKEN_OVER, *VANISHED, *UNMARKED, *ELSEWHERE)


@pytest.mark.parametrize(("product", "bucket", "parts", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdict(product: DataProduct, bucket: Bucket | None, parts: dict[str, Any], verdict: str) -> None:
    """A plus: somebody else's marks were read, which is evidence enough to take credentials away."""
    claim = judge(product, NAME, a_world(bucket=Absent() if bucket is None else Present(bucket), **parts))
    assert claim.verdict + "+" * claim.positive == verdict
    assert bool(claim.why) == (claim.verdict in ("Foreign", "Withheld", "Missing", "MarksMissing", "Released"))
    assert claim.takes_over == (claim.verdict in ("Returning", "Consented", "Transferred"))


def test_no_two_cases_are_alike() -> None:
    assert len({case[0] for case in CASES}) == len(CASES)
