"""What a product asks of its store, and what it is told where a bucket is somebody else's."""

import pytest

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.api.v1alpha1.storage import Storage
from clouddatamesh.model.bucket import Bucket
from clouddatamesh.model.evidence import Absent, Present
from clouddatamesh.plan.ownership import judge, shows_others
from clouddatamesh.plan.rules import want_rules
from clouddatamesh.plan.storage import plan_storage
from clouddatamesh.plan.wish import wish_of
from tests.support.manifests import a_store
from tests.support.worlds import ABLE, a_world, owned_tags, the_product

RULES = [{"prefix": "tmp/", "expireAfter": "7d"}, {"prefix": "raw/", "expireAfter": "7d"}, {"expireNoncurrentAfter": "1d"}]


def a_store_without(capability: str) -> ObjectStore:
    found = [{**one, "supported": one["name"] != capability} for one in ABLE]
    return ObjectStore.model_validate({**a_store(), "status": {"capabilities": found}})


@pytest.mark.parametrize(("rules", "reason"), [(RULES, reasons.CAPABILITY_MISSING), ([], "")])
def test_a_store_without_lifecycle_serves_those_who_ask_for_no_rules(rules: list[dict[str, str]], reason: str) -> None:
    world = a_world(store=a_store_without("Lifecycle"), bucket=Absent())
    wish = wish_of(the_product(storage={"storeRef": {"name": "main"}, "lifecycleRules": rules}), world)
    assert wish is not None
    stop = plan_storage(wish, world).stop
    assert (stop.reason if stop else "") == reason


def test_each_rule_is_known_again_by_its_prefix() -> None:
    storage = Storage.model_validate({"storeRef": {"name": "main"}, "lifecycleRules": RULES})
    rules = want_rules(storage, "uid-1")
    assert len({rule.id for rule in rules}) == len(rules) == 4
    changed = Storage.model_validate({"storeRef": {"name": "main"}, "lifecycleRules": [{**RULES[0], "expireAfter": "9d"}]})
    (again,) = (rule for rule in want_rules(changed, "uid-1") if rule.enabled)
    assert again.id in {rule.id for rule in rules}


@pytest.mark.parametrize(
    ("tags", "whose"),
    [
        (owned_tags("inventory", "stock", uid="uid-2"), "another product"),
        (owned_tags("inventory", "stock", uid="uid-2", cluster="uid-other"), "another mesh or cluster"),
        (owned_tags("inventory", "stock", uid="uid-2", mesh="other"), "another mesh or cluster"),
    ],
)
def test_it_is_told_whose_a_bucket_is(tags: tuple[tuple[str, str], ...], whose: str) -> None:
    message = judge(the_product(), "acme-orders", a_world(bucket=Present(Bucket("acme-orders", tags=tags)))).why
    assert f"belongs to {whose};" in message


def test_one_mark_that_differs_shows_that_a_bucket_is_anothers() -> None:
    product, world = the_product(), a_world()
    assert not shows_others(product, Bucket("acme-orders", tags=owned_tags()), world)
    assert not shows_others(product, Bucket("acme-orders", tags=owned_tags(cluster="", domain="")), world)
    assert shows_others(product, Bucket("acme-orders", tags=owned_tags(cluster="uid-other")), world)
    assert shows_others(product, Bucket("acme-orders", tags=owned_tags(), is_of_other_account=True), world)
