"""Stores that fail, forget, lie or are somebody else's: nothing is taken for it, nothing is believed of it, and all heals by itself.

Everything befalls one mesh at once (tests/e2e/faulty_mesh.py); each test looks at its own case. On RGW and moto.
"""

from collections.abc import Iterator

import pytest

from hack.tools.store import Store
from tests.e2e import faulty_heals, faulty_kept, faulty_lies, faulty_singles
from tests.e2e.access import condition_of
from tests.e2e.faulty import GROUP, LOOK, Faulty, is_alive
from tests.e2e.faulty_kept import FOREIGN_TAGS, Case
from tests.e2e.faulty_lies import Lie
from tests.e2e.faulty_mesh import CASES, a_faulty_mesh, set_right, spoil

TAKEN_BY_THEN = 2 * LOOK
"""Two looks of the schedule, since nobody asks for one."""


@pytest.fixture(scope="module")
def spoiled(rgw: Store, moto: Store) -> Iterator[Faulty]:
    """The mesh after everything happened to it and was looked at twice."""
    with a_faulty_mesh(rgw, moto) as mesh:
        spoil(mesh)
        yield mesh


@pytest.fixture(scope="module")
def healed(spoiled: Faulty) -> Faulty:
    """The same mesh from the moment on at which every cause is gone."""
    set_right(spoiled)
    return spoiled


by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
by_store = pytest.mark.parametrize("lie", faulty_lies.LIES, ids=lambda lie: lie.store)


# While it lasts


@by_name
def test_no_credentials_go_for_a_fault_that_proves_nothing(spoiled: Faulty, case: Case) -> None:
    assert spoiled.lost(case.name) == []
    assert spoiled.condition(case.name).get("reason") != case.says


@pytest.mark.parametrize("name", ["emptied", "rewritten", "halved", "without-uid"])
def test_marks_that_vanished_are_written_again(spoiled: Faulty, name: str) -> None:
    product, tags = spoiled.product(name), spoiled.tags(spoiled.held[name].bucket)
    assert tags.get(f"{GROUP}/uid") == product["metadata"]["uid"]
    assert tags.get(f"{GROUP}/name") == name
    assert name == "emptied" or FOREIGN_TAGS.items() <= tags.items()


def test_a_bucket_without_any_trace_is_no_proof_and_says_how_to_go_on(spoiled: Faulty) -> None:
    found = spoiled.condition("traceless")
    assert found["reason"] == "MarksMissing"
    assert "adopt-by" in found["message"]
    assert spoiled.tags(spoiled.held["traceless"].bucket) == {}


def test_many_buckets_lost_at_once_are_a_fault_of_the_store_and_nothing_goes(spoiled: Faulty) -> None:
    assert {name: spoiled.lost(name) for name in faulty_singles.BRAKED} == {name: [] for name in faulty_singles.BRAKED}
    said = str(spoiled.installed.get("objectstore", "brake")) + str([spoiled.product(name) for name in faulty_singles.BRAKED])
    assert "StorageLossBrake" in said


@by_store
def test_what_a_store_says_that_is_not_the_same_is_no_proof(spoiled: Faulty, lie: Lie) -> None:
    """What is said to be gone, and what let go of its record, is gone where it was made; the cluster is read first."""
    get, kept = spoiled.installed.get, spoiled.held[lie.kept]
    grant, revoked = get("agrant", f"for-a-{lie.store}", "sales"), get("areq", f"a-{lie.store}", "inventory")["status"]
    withdrawn, product = get("areq", f"b-{lie.store}", "inventory"), spoiled.product(lie.gone)
    lives = {r.deal.name[0]: is_alive(kept.store, r.principal, r.secret["access-key-id"]) for r in kept.readers}
    assert grant or not lives["a"]
    assert not lives["a"] or (revoked.get("principal") and condition_of({"status": revoked}).get("reason") != "Revoked")
    assert withdrawn or not lives["b"]
    gone = spoiled.held[lie.gone]
    assert product or not is_alive(gone.store, gone.principal, gone.producer["access-key-id"])
    assert product or not spoiled.bucket_exists(gone.bucket)


@by_store
def test_nothing_is_made_in_a_store_that_is_not_the_same(spoiled: Faulty, lie: Lie) -> None:
    other = spoiled.stranger if lie.store == "swapped" else spoiled.twin
    made = faulty_lies.strangers_made(other)
    assert [name for name in made if lie.store in name] == []
    secret = spoiled.secret(spoiled.held[lie.kept].secret_name)
    assert secret == spoiled.held[lie.kept].producer, "the producer's key is of the store in which its bucket is"


@pytest.mark.parametrize("name", faulty_singles.KMS)
def test_encryption_with_ones_own_key_is_not_lowered(spoiled: Faulty, name: str) -> None:
    assert faulty_singles.encryption_of(spoiled, spoiled.held[name].bucket) == faulty_singles.KMS[name]
    assert spoiled.condition(name)["status"] == "True"


def test_the_older_of_two_products_that_name_one_bucket_has_it(spoiled: Faulty) -> None:
    spoiled.by("spoiled", LOOK, lambda: spoiled.condition("older").get("status") == "True", "older is Ready")
    spoiled.ends("younger", "inventory", reason="NotOwned")
    older, bucket = spoiled.product("older"), faulty_singles.CONTESTED
    assert spoiled.tags(bucket)[f"{GROUP}/uid"] == older["metadata"]["uid"]
    assert not spoiled.secret("younger-producer", "inventory")


def test_a_lost_bucket_is_not_made_for_another_product(spoiled: Faulty) -> None:
    spoiled.ends("squatter", "inventory", reason="NotOwned")
    assert not spoiled.bucket_exists(spoiled.held["forsaken"].bucket)
    assert not spoiled.secret("squatter-producer", "inventory")


@pytest.mark.parametrize("name", faulty_singles.LATE)
def test_what_arrives_while_a_bucket_goes_does_not_keep_it(spoiled: Faulty, name: str) -> None:
    spoiled.by("spoiled", LOOK, lambda: not spoiled.product(name), f"the end of {name}")
    assert not spoiled.bucket_exists(spoiled.held[name].bucket)


def test_a_suspended_domain_loses_no_binding(spoiled: Faulty) -> None:
    assert spoiled.installed.get("rolebinding", "clouddatamesh-owners", "halted")


# Nobody asks for a look


@pytest.mark.parametrize("obstacle", faulty_heals.OBSTACLES, ids=lambda obstacle: obstacle.name)
def test_what_was_in_the_way_and_is_removed_is_seen_within_the_drift_interval(spoiled: Faulty, obstacle: faulty_heals.Obstacle) -> None:
    name = obstacle.manifest["metadata"]["name"]
    ready = lambda: condition_of(spoiled.installed.get(obstacle.kind, name, obstacle.namespace)).get("status") == "True"  # noqa: E731
    spoiled.by("spoiled", LOOK + 10, ready, f"{name} is Ready")


def test_the_bucket_of_a_stalled_product_is_still_protected(spoiled: Faulty) -> None:
    s3, bucket = spoiled.s3, spoiled.held["exposed"].bucket
    versioned = lambda: s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"  # noqa: E731
    spoiled.by("spoiled", LOOK + 10, versioned, "its versions are kept again")
    spoiled.by("spoiled", LOOK + 10, lambda: is_closed(spoiled, bucket), "it is closed again")


def is_closed(mesh: Faulty, bucket: str) -> bool:
    """A look may fall between the two acts by which it was opened: it repairs what it finds, and the next one the rest."""
    try:
        found = mesh.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except mesh.s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration", error
        return False
    return bool(found["BlockPublicPolicy"])


@pytest.mark.parametrize("store", faulty_singles.PROBED)
def test_a_bad_moment_in_a_probe_is_no_verdict(spoiled: Faulty, store: str) -> None:
    product = faulty_singles.PROBED[store]
    spoiled.by("looked", LOOK, lambda: spoiled.condition(product).get("status") == "True", f"{product} is Ready")
    bucket = spoiled.bucket(product)
    assert spoiled.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    assert spoiled.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    assert spoiled.store_condition(store)["status"] == "True"


@pytest.mark.parametrize("name", ["abandoned", "relabelled"])
def test_keys_for_a_bucket_that_is_somebody_elses_now_are_taken(spoiled: Faulty, name: str) -> None:
    all_of_it = ["the producer's key", "the producer's Secret", "the consumer's key", "the consumer's Secret"]
    spoiled.by("looked", TAKEN_BY_THEN, lambda: spoiled.lost(name) == all_of_it, f"the keys of {name}")
    spoiled.ends(name, reason="NotOwned")
    told = lambda: condition_of(spoiled.installed.get("areq", name, "inventory")).get("status") == "False"  # noqa: E731
    spoiled.installed.until(told, what=f"the word on the request for {name}")


def test_a_bucket_that_its_owner_releases_is_left_as_it_is(spoiled: Faulty) -> None:
    taken = lambda: "the consumer's key" in spoiled.lost("released")  # noqa: E731
    spoiled.by("spoiled", LOOK + 10, taken, "the end of access to what was released")
    spoiled.ends("released", reason="Released")
    assert spoiled.tags(spoiled.held["released"].bucket)[f"{GROUP}/released"] == "sales/released"


# When every cause is gone


@pytest.mark.parametrize("case", faulty_kept.KEPT, ids=lambda case: case.name)
def test_it_heals_with_the_same_keys_and_without_a_nudge(healed: Faulty, case: Case) -> None:
    healed.by("set right", LOOK + 10, lambda: healed.condition(case.name).get("status") == "True", f"{case.name} is Ready")
    assert healed.lost(case.name) == []
    reader = healed.held[case.name].readers[0]
    healed.by("set right", LOOK + 20, lambda: reader.condition()["status"] == "True", f"the reader of {case.name} is Ready")


@pytest.mark.parametrize("name", faulty_singles.BRAKED[:2])
def test_a_braked_store_heals_with_the_same_keys(healed: Faulty, name: str) -> None:
    healed.by("set right", LOOK + 10, lambda: healed.condition(name).get("status") == "True", f"{name} is Ready")
    assert healed.lost(name) == []


@by_store
def test_what_was_decided_meanwhile_is_done_when_the_store_is_itself_again(healed: Faulty, lie: Lie) -> None:
    kept = healed.held[lie.kept]
    for access in kept.readers:
        healed.by("set right", TAKEN_BY_THEN, lambda a=access: not a.remains(), f"the end of {access.deal.name}")  # type: ignore[misc]
    for kind, name, namespace in (
        ("agrant", f"for-a-{lie.store}", "sales"),
        ("areq", f"b-{lie.store}", "inventory"),
        ("dataproduct", lie.gone, "sales"),
    ):
        healed.by("set right", TAKEN_BY_THEN, lambda k=kind, n=name, p=namespace: healed.is_gone(k, n, p), f"the end of {name}")  # type: ignore[misc]
    assert not healed.bucket_exists(healed.held[lie.gone].bucket)
    healed.by("set right", LOOK + 10, lambda: healed.condition(lie.kept).get("status") == "True", f"{lie.kept} is Ready")
    assert is_alive(kept.store, kept.principal, kept.producer["access-key-id"]), "its producer's key was never replaced"
