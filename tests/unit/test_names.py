"""Names are deterministic, legal, and never the same for two owners."""

import re

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
    principal = names.principal_name("acme", key)
    assert BUCKET.fullmatch(bucket)
    assert len(principal) <= 64 and principal == principal.lower()
    assert names.is_generated(bucket)


def test_owners_whose_readable_parts_are_the_same_get_different_names() -> None:
    twins = [Key("DataProduct", "a", "b-c"), Key("DataProduct", "a-b", "c"), Key("DataProduct", "a", "b.c")]
    assert len({names.bucket_name("p", "acme", key) for key in twins}) == 3
    assert len({names.principal_name("acme", key) for key in twins}) == 3
    assert names.bucket_name("p", "acme", twins[0]) != names.bucket_name("p", "other", twins[0])


def test_a_product_cannot_be_named_into_the_meshes_own_bucket() -> None:
    assert names.bucket_name("acme", "m", Key("DataProduct", "", "mesh")) != names.mesh_bucket_name("acme", "m")
    assert names.is_generated(names.mesh_bucket_name("acme", "m"))


def test_jitter_spreads_by_a_tenth_and_stays() -> None:
    spread = [names.jitter(str(n)) for n in range(200)]
    assert 0.9 <= min(spread) < 0.92
    assert 1.08 < max(spread) <= 1.1
    assert names.jitter("x") == names.jitter("x")
