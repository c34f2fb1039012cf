"""Names are deterministic, legal, and never the same for two owners."""

import re
from dataclasses import replace

import pytest

from clouddatamesh.model.objects import Key
from clouddatamesh.plan import names

BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
LONG = Key("DataProduct", "n" * 63, "x" * 253)


@pytest.mark.parametrize(
    "key", [Key("DataProduct", "sales", "orders"), Key("DataProduct", "a", "b"), Key("DataProduct", "s", "a.b.c"), LONG], ids=str
)
def test_names_are_legal_whatever_the_owner_is_called(key: Key) -> None:
    bucket = names.bucket_name("p" * 20, "acme", key)
    principal = names.principal_name("acme", "cluster", key)
    assert BUCKET.fullmatch(bucket)
    assert len(principal) <= 64 and principal == principal.lower()
    assert names.is_generated(bucket)


def test_owners_whose_readable_parts_are_the_same_get_different_names() -> None:
    twins = [Key("DataProduct", "a", "b-c"), Key("DataProduct", "a-b", "c"), Key("DataProduct", "a", "b.c")]
    assert len({names.bucket_name("p", "acme", key) for key in twins}) == 3
    assert len({names.principal_name("acme", "cluster", key) for key in twins}) == 3
    assert names.bucket_name("p", "acme", twins[0]) != names.bucket_name("p", "other", twins[0])


def test_principals_of_two_meshes_or_clusters_differ_though_their_owners_have_one_name() -> None:
    """Where a store keeps no tags of users, nothing else tells them apart."""
    key = Key("DataProduct", "sales", "orders")
    owners = [("acme", "a", key), ("acme", "b", key), ("other", "a", key), ("acme", "a", replace(key, kind="AccessRequest"))]
    assert len({names.principal_name(*owner) for owner in owners}) == 4
    assert len({names.marker_name(mesh, cluster, "store") for mesh, cluster, _ in owners}) == 3
    assert len({names.principal_path(mesh, cluster) for mesh, cluster, _ in owners}) == 3


def test_the_path_of_a_cluster_is_below_that_of_its_mesh() -> None:
    assert re.fullmatch("/clouddatamesh/acme/[a-z2-7]{10}/", names.principal_path("acme", "cluster"))
    assert names.principal_path("acme", "cluster").startswith(names.mesh_path("acme"))
    assert not names.principal_path("acme-2", "cluster").startswith(names.mesh_path("acme"))


def test_a_marker_has_no_name_that_an_owner_could_get() -> None:
    assert len(names.marker_name("m" * 63, "cluster", "store")) <= 64
    assert names.marker_name("m", "c", "s") != names.marker_name("m", "c", "another")
    assert names.is_marker_name(names.marker_name("m", "c", "s"))
    for name in ("marker", "marker-x", "mesh.marker"):
        assert not names.is_marker_name(names.principal_name("m", "c", Key("DataProduct", "mesh", name)))


def test_no_two_stores_of_a_mesh_are_probed_on_one_bucket() -> None:
    buckets = {
        names.scratch_bucket_name("p", "acme", "a"),
        names.scratch_bucket_name("p", "acme", "b"),
        names.mesh_bucket_name("p", "acme"),
    }
    assert len(buckets) == 3
    assert all(names.is_generated(bucket) for bucket in buckets)


def test_a_product_cannot_be_named_into_the_meshes_own_bucket() -> None:
    assert names.bucket_name("acme", "m", Key("DataProduct", "", "mesh")) != names.mesh_bucket_name("acme", "m")
    assert names.is_generated(names.mesh_bucket_name("acme", "m"))


def test_jitter_spreads_by_a_tenth_and_stays() -> None:
    spread = [names.jitter(str(n)) for n in range(200)]
    assert 0.9 <= min(spread) < 0.92
    assert 1.08 < max(spread) <= 1.1
    assert names.jitter("x") == names.jitter("x")


@pytest.mark.parametrize(
    ("text", "pattern", "is_like"),
    [
        ("sales-orders", "sales-*", True),
        ("sales-orders", "*", True),
        ("sales-orders", "sales", False),
        ("sales-orders", "*-orders", True),
        ("sales-orders", "sales-*-orders", False),
        ("s3:Get?", "s3:Get?", True),
        ("s3:GetX", "s3:Get?", False),
        ("[a]", "[a]", True),
        ("a", "[a]", False),
        ("!", "[!a]", False),
        ("a\nb", "a*b", True),
        ("A", "a", False),
        ("", "*", True),
    ],
)
def test_a_pattern_means_by_an_asterisk_any_characters_and_by_nothing_else(text: str, pattern: str, is_like: bool) -> None:
    assert names.is_like(text, pattern) is is_like


def test_a_pattern_of_many_asterisks_does_not_make_us_search() -> None:
    """By backtracking this would take longer than a life: what is matched is written by others."""
    assert not names.is_like("a" * 2048, "*a" * 40 + "*b")
