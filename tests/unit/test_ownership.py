"""Whose is this bucket: every verdict, by what tags, status and policy say. The ids are the rule."""

import pytest

from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.model.bucket import Bucket, Contents
from clouddatamesh.plan.ownership import judge
from tests.support.worlds import a_world, owned_tags, the_product

NAME = "acme-orders-abc"
CREATING = {"storage": {"bucket": NAME, "phase": "Creating"}}
OWNED = {"storage": {"bucket": NAME, "phase": "Owned"}}
CONSENT = (("clouddatamesh.dev/adopt-by", "acme/sales/orders"),)
CONSENTING = {"storeRef": {"name": "main"}, "adoptionPolicy": "IfConsented"}
NEVER = {"storeRef": {"name": "main"}, "adoptionPolicy": "Never"}
RECREATE = {"clouddatamesh.dev/recreate": NAME}
EMPTY, FULL = Contents(), Contents(versions=1)


def tagged(*args: str, **tags: str) -> Bucket:
    return Bucket(NAME, tags=owned_tags(*args, **tags))


CASES = [
    ("no bucket and no record: may be made", the_product(), None, {}, "Absent"),
    ("no bucket and an interrupted record: may be made", the_product(status=CREATING), None, {}, "Absent"),
    ("no bucket though it existed: missing", the_product(status=OWNED), None, {}, "Missing"),
    ("missing, and its loss accepted: may be made", the_product(status=OWNED, annotations=RECREATE), None, {}, "Absent"),
    (
        "missing, and another bucket's loss accepted: missing",
        the_product(status=OWNED, annotations={"clouddatamesh.dev/recreate": "x"}),
        None,
        {},
        "Missing",
    ),
    ("all four marks: mine", the_product(), tagged(), {}, "Mine"),
    ("marks of another namespace: foreign", the_product(), tagged("inventory"), {}, "Foreign"),
    ("marks of another name: foreign", the_product(), tagged("sales", "returns"), {}, "Foreign"),
    ("marks of another mesh: foreign", the_product(), tagged(mesh="other"), {}, "Foreign"),
    ("my marks with a dead uid: returning", the_product(), tagged(uid="dead"), {}, "Returning"),
    ("my marks with a living uid: foreign", the_product(), tagged(uid="alive"), {"living_uids": frozenset({"alive"})}, "Foreign"),
    ("my marks with a dead uid, adoption Never: foreign", the_product(storage=NEVER), tagged(uid="dead"), {}, "Foreign"),
    ("transferred to me by the platform team", the_product(), tagged("inventory", transfer_to="sales/orders"), {}, "Transferred"),
    ("transferred to somebody else: foreign", the_product(), tagged("inventory", transfer_to="sales/other"), {}, "Foreign"),
    ("transferred by another mesh: foreign", the_product(), tagged("inventory", mesh="other", transfer_to="sales/orders"), {}, "Foreign"),
    ("transferred, adoption Never: foreign", the_product(storage=NEVER), tagged("inventory", transfer_to="sales/orders"), {}, "Foreign"),
    ("no marks: foreign", the_product(), Bucket(NAME), {"contents": EMPTY}, "Foreign"),
    ("no marks, empty, my record: made by me", the_product(status=CREATING), Bucket(NAME), {"contents": EMPTY}, "Made"),
    ("no marks, not empty, my record: foreign", the_product(status=CREATING), Bucket(NAME), {"contents": FULL}, "Foreign"),
    ("no marks, never counted, my record: foreign", the_product(status=CREATING), Bucket(NAME), {}, "Foreign"),
    (
        "a stranger's tag, my record: foreign",
        the_product(status=CREATING),
        Bucket(NAME, tags=(("a", "b"),)),
        {"contents": EMPTY},
        "Foreign",
    ),
    ("consent for me, adoption IfConsented", the_product(storage=CONSENTING), Bucket(NAME, tags=CONSENT), {}, "Consented"),
    ("consent for me, adoption IfOwned: foreign", the_product(), Bucket(NAME, tags=CONSENT), {}, "Foreign"),
    ("consent for somebody else: foreign", the_product(storage=CONSENTING, namespace="other"), Bucket(NAME, tags=CONSENT), {}, "Foreign"),
    (
        "consent beside another's marks: foreign",
        the_product(storage=CONSENTING),
        Bucket(NAME, tags=(*CONSENT, *owned_tags("x"))),
        {},
        "Foreign",
    ),
]


@pytest.mark.parametrize(("product", "bucket", "parts", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdict(product: DataProduct, bucket: Bucket | None, parts: dict[str, object], verdict: str) -> None:
    claim = judge(product, NAME, a_world(bucket=bucket, **parts))
    assert claim.verdict == verdict
    assert bool(claim.why) == (verdict in ("Foreign", "Missing"))
