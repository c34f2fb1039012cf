"""What a policy with the enforcement Deny refuses is not carried out either where it is an edit of what exists, without any admission."""

from dataclasses import replace
from typing import Any, Final

import pytest

from clouddatamesh.model.bucket import Bucket, LifecycleRule
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.cautious import cautious
from tests.reconcile.test_access import ready as request_ready
from tests.reconcile.test_access import two_domains, users
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store
from tests.support.mesh import Mesh

EXPIRING = {"versioning": "Suspended", "lifecycleRules": [{"name": "soon", "prefix": "a/", "expireAfter": "1d"}]}
ENGINEERS = Key("RoleBinding", "sales", "clouddatamesh-engineers")


def denying(kind: str, rule: str) -> dict[str, Any]:
    return a_policy(f"no-{kind.lower()}", enforcement="Deny", targets={"kinds": [kind]}, rules=[a_rule("held", rule)])


def bucket(mesh: Mesh) -> Any:
    return mesh.stores.at("https://s3.test").buckets[mesh.product()["status"]["storage"]["bucket"]].bucket


@pytest.mark.parametrize("deleted", [False, True], ids=["alive", "then deleted while a consumer is left"])
def test_no_data_expires_by_an_edit_that_is_refused(deleted: bool) -> None:
    rule = "!has(object.spec.storage.lifecycleRules) || object.spec.storage.lifecycleRules.all(one, one.expireAfter != '1d')"
    mesh = two_domains().apply(denying("DataProduct", rule), a_request(), a_grant()).settle()
    before = bucket(mesh)
    port = mesh.product()["spec"]["outputPorts"]
    mesh.apply(a_product(storage=EXPIRING, outputPorts=port)).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    if deleted:
        mesh.delete("DataProduct", "orders", "sales").settle()
    assert (bucket(mesh).lifecycle, bucket(mesh).versioning) == (before.lifecycle, before.versioning)
    mesh.stores.at("https://s3.test").buckets[before.name].bucket = replace(bucket(mesh), public_access_blocked=False)
    mesh.settle()
    mesh.clock.forward(minutes=30)
    assert bucket(mesh.settle()).public_access_blocked is True


def expiring(**days: str) -> dict[str, Any]:
    """Rules by the prefix that they are for."""
    return {"lifecycleRules": [{"name": prefix, "prefix": f"{prefix}/", "expireAfter": after} for prefix, after in days.items()]}


OTHERWISE: Final = "domain.metadata.name == '' || has(object.spec.support)"
"""A rule that only the operator judges, and that has nothing to do with the bucket."""


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (None, {}),
        (expiring(daily="365d", raw="7d"), {"daily/": 365, "raw/": 7}),
        (expiring(daily="1d"), {"daily/": 30}),
        (expiring(daily="30d", raw="1d", more="1d"), {"daily/": 30, "raw/": 7}),
    ],
    ids=["none expire", "one expires later", "one expires sooner and one does not", "sooner, and one more"],
)
def test_data_lives_longer_by_an_edit_that_is_refused_and_never_less(edit: dict[str, Any] | None, expected: dict[str, int]) -> None:
    mesh = two_domains().settle()
    ports = mesh.product()["spec"]["outputPorts"]
    mesh.apply(a_product(storage=expiring(daily="30d", raw="7d"), outputPorts=ports)).settle()
    mesh.apply(denying("DataProduct", OTHERWISE)).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    mesh.apply(a_product(outputPorts=ports, storage=edit or {})).settle()
    assert {rule.prefix: rule.expire_days for rule in bucket(mesh).lifecycle if rule.enabled} == expected
    told = mesh.condition("DataProduct", "orders", "sales", "DriftDetected")["message"]
    is_as_asked = expected == {"daily/": 365, "raw/": 7} or not expected
    assert ("the bucket's lifecycle stay as they were" in told) != is_as_asked
    mesh.delete("GovernancePolicy", "no-dataproduct").settle()
    asked = {f"{rule['prefix']}": int(rule["expireAfter"].removesuffix("d")) for rule in (edit or {}).get("lifecycleRules", ())}
    assert {rule.prefix: rule.expire_days for rule in bucket(mesh).lifecycle if rule.enabled} == asked


def test_a_rule_that_removes_something_else_by_an_edit_that_is_refused_is_left_out() -> None:
    """One without any time is none to S3, which would refuse all rules for it; the fake takes it, so this looks at what is asked for."""
    was, is_asked = LifecycleRule("clouddatamesh-x", "daily/", 30), LifecycleRule("clouddatamesh-x", "daily/", None, 5)
    assert cautious(Bucket("any", lifecycle=(is_asked,)), Bucket("any", lifecycle=(was,))).lifecycle == ()


def test_where_a_rule_was_rewritten_all_stay_while_a_policy_refuses_the_product() -> None:
    mesh = two_domains().settle()
    ports = mesh.product()["spec"]["outputPorts"]
    mesh.apply(a_product(storage=expiring(daily="30d"), outputPorts=ports)).settle().apply(denying("DataProduct", OTHERWISE)).settle()
    held = mesh.stores.at("https://s3.test").buckets[bucket(mesh).name]
    held.bucket = replace(held.bucket, lifecycle=tuple(replace(rule, readable=not rule.removes) for rule in held.bucket.lifecycle or ()))
    before = held.bucket
    mesh.apply(a_product(storage=expiring(daily="60d"), outputPorts=ports)).settle()
    assert bucket(mesh) == before


BOUNDS: Final[dict[str, Any]] = {"networkIsolation": {"mode": "Domain"}, "maxDataProducts": 5}
OPEN: Final[dict[str, Any]] = {"mode": "Domain", "allowFrom": [{"matchLabels": {"any": "body"}}]}


@pytest.mark.parametrize(
    "edit",
    [{"maxDataProducts": 5}, {**BOUNDS, "networkIsolation": OPEN}, {**BOUNDS, "maxDataProducts": 500}, {}],
    ids=["isolation off", "opened", "quota raised", "all gone"],
)
def test_no_limit_is_lifted_by_an_edit_that_is_refused_and_one_that_goes_comes_back(edit: dict[str, Any]) -> None:
    rule = (
        "domain.metadata.name == '' || (has(object.spec.resources) && object.spec.resources.?networkIsolation.?mode.orValue('') == 'Domain'"
        " && !has(object.spec.resources.networkIsolation.allowFrom) && object.spec.resources.?maxDataProducts.orValue(99) <= 5)"
    )
    mesh = Mesh().apply(a_store(), denying("Domain", rule), a_domain("sales", resources=BOUNDS)).settle()
    limits = [Key(kind, "sales", "clouddatamesh") for kind in ("NetworkPolicy", "ResourceQuota")]

    def specs() -> list[Any]:
        return [(mesh.cluster.raw(key) or {}).get("spec") for key in limits]

    before = specs()
    assert all(before) and mesh.condition("Domain", "sales")["reason"] == "Ready"
    mesh.apply(a_domain("sales", resources=edit)).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    assert specs() == before
    mesh.delete("GovernancePolicy", "no-domain").settle()
    assert specs() != before


def test_limits_of_a_domain_that_is_refused_come_back() -> None:
    mesh = Mesh().apply(a_store(), a_domain("sales", resources=BOUNDS)).settle().apply(denying("Domain", "false")).settle()
    limits = [Key(kind, "sales", "clouddatamesh") for kind in ("NetworkPolicy", "ResourceQuota")]
    for key in limits:
        mesh.delete(key.kind, key.name, key.namespace)
    mesh.settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    assert all(mesh.cluster.raw(key) for key in limits)


def test_a_producers_user_that_somebody_deleted_comes_back_under_a_deny() -> None:
    mesh = two_domains().settle()
    ports = mesh.product()["spec"]["outputPorts"]
    mesh.apply(a_product(outputPorts=ports, producer={"secretName": "orders-producer"})).settle().apply(denying("DataProduct", OTHERWISE))
    principal = mesh.settle().product()["status"]["producer"]["principal"]
    mesh.stores.at("https://s3.test").users.pop(principal)
    mesh.clock.forward(minutes=30)
    mesh.settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert len(mesh.stores.at("https://s3.test").users[principal].keys) == 1


def test_a_grant_says_that_its_request_is_refused() -> None:
    mesh = two_domains().settle().apply(denying("AccessRequest", "false")).settle().apply(a_request(), a_grant()).settle()
    assert request_ready(mesh)[1] == "PolicyViolation"
    found = mesh.condition("AccessGrant", "inventory-forecast", "sales")
    assert (found["status"], found["reason"]) == ("False", "PolicyViolation")


def test_no_tag_of_an_edit_that_is_refused_is_written_and_none_of_it_is_called_ours() -> None:
    rule = "domain.metadata.name == '' || !has(object.spec.storage.tags) || !('zone' in object.spec.storage.tags)"
    mesh = two_domains().settle()
    ports = mesh.product()["spec"]["outputPorts"]
    mesh.apply(a_product(storage={"tags": {"cost": "1"}}, outputPorts=ports)).settle().apply(denying("DataProduct", rule)).settle()
    mesh.apply(a_product(storage={"tags": {"zone": "public"}}, outputPorts=ports)).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    tags = dict(bucket(mesh).tags)
    assert ("zone" in tags, tags.get("cost")) == (False, "1")
    assert mesh.product()["status"]["storage"]["managedTags"] == ["cost"]
    held = mesh.stores.at("https://s3.test").buckets[bucket(mesh).name]
    held.bucket = replace(held.bucket, tags=(*held.bucket.tags, ("zone", "theirs")))
    mesh.apply(a_product(outputPorts=ports)).settle()
    tags = dict(bucket(mesh).tags)
    assert (tags.get("zone"), "cost" in tags) == ("theirs", False)


@pytest.mark.parametrize("edit", [{"validUntil": "2099-01-01T00:00:00Z"}, {"validUntil": None, "permanent": True}], ids=["later", "never"])
def test_no_access_lasts_longer_by_an_edit_that_is_refused(edit: dict[str, Any]) -> None:
    rule = "has(object.spec.validUntil) && timestamp(object.spec.validUntil) < timestamp('2026-06-01T00:00:00Z')"
    mesh = (
        two_domains(allowPermanent=True)
        .apply(denying("AccessGrant", rule), a_request(), a_grant(validUntil="2026-03-01T00:00:00Z"))
        .settle()
    )
    assert request_ready(mesh) == ("True", "Granted")
    mesh.apply(a_grant(**edit)).settle()
    assert mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["validUntil"] == "2026-03-01T00:00:00Z"
    assert len(users(mesh)) == 1
    mesh.clock.forward(days=60)
    mesh.settle()
    assert users(mesh) == []


@pytest.mark.parametrize("edit", [{"maxDuration": "90d"}, {"maxDuration": "30d", "keepGiven": True}], ids=["longer", "kept"])
def test_no_access_lasts_longer_by_a_port_that_is_refused(edit: dict[str, Any]) -> None:
    ports = "object.spec.outputPorts.all(one, one.access.maxDuration == '30d' && !(has(one.access.keepGiven) && one.access.keepGiven))"
    mesh = two_domains(maxDuration="90d").apply(a_request(), a_grant()).settle()
    mesh.apply(denying("DataProduct", f"object.metadata.name == 'forecast' || domain.metadata.name == '' || {ports}")).settle()

    def until(**access: Any) -> str:
        mesh.apply(a_product(outputPorts=[{"name": "daily", "version": "1.0.0", "path": "daily/", "access": access}])).settle()
        return str(mesh.get("AccessRequest", "orders-for-forecast", "inventory")["status"]["validUntil"])

    end = until(maxDuration="30d")
    assert (until(**edit), mesh.condition("DataProduct", "orders", "sales")["reason"]) == (end, "PolicyViolation")
    mesh.clock.forward(days=45)
    assert users(mesh.settle()) == []


def test_nobody_gets_rights_by_a_domain_that_is_refused_and_who_leaves_it_loses_them() -> None:
    rule = "!has(object.spec.access.engineers) || object.spec.access.engineers.all(one, one.name != 'everybody')"
    person, everybody = ({"kind": "Group", "name": name} for name in ("sales-engineers", "everybody"))
    mesh = Mesh().apply(a_store(), denying("Domain", rule), a_domain("sales", access={"engineers": [person]})).settle()

    def names(found: Mesh) -> list[str]:
        return [one["name"] for one in (found.cluster.raw(ENGINEERS) or {}).get("subjects", ())]

    assert names(mesh) == ["sales-engineers"]
    mesh.apply(a_domain("sales", access={"engineers": [person, everybody]})).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    assert names(mesh) == ["sales-engineers"]
    mesh.apply(a_domain("sales", access={"engineers": [everybody]})).settle()
    assert names(mesh) == []
    mesh.apply(a_domain("sales", access={"engineers": [person]})).settle()
    assert names(mesh) == ["sales-engineers"]


def test_the_operators_own_binding_comes_back_in_a_domain_that_is_refused() -> None:
    """Without it nobody could take a Secret away."""
    own = Key("RoleBinding", "sales", "clouddatamesh-operator")
    mesh = Mesh().apply(a_store(), a_domain("sales")).settle()
    mesh.apply(denying("Domain", "has(object.spec.type)")).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    mesh.delete("RoleBinding", own.name, "sales").settle()
    assert mesh.cluster.raw(own) is not None


def test_a_domain_that_is_refused_from_the_first_gets_no_namespace() -> None:
    mesh = Mesh().apply(a_store(), denying("Domain", "has(object.spec.type)"), a_domain("sales")).settle()
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    assert mesh.cluster.raw(Key("Namespace", "", "sales")) is None
    mesh.delete("GovernancePolicy", "no-domain").settle()
    assert mesh.cluster.raw(Key("Namespace", "", "sales")) is not None


def test_no_bucket_is_deleted_by_an_edit_that_is_refused() -> None:
    store = a_store(deletionEnabled=True)
    rule = "!has(object.spec.storage.deletionPolicy) || object.spec.storage.deletionPolicy == 'Retain'"
    mesh = Mesh().apply(store, a_domain("sales"), denying("DataProduct", rule), a_product()).settle()
    mesh.apply(a_product(storage={"deletionPolicy": "Delete", "forceDestroy": True})).settle()
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    name = bucket(mesh).name
    mesh.delete("DataProduct", "orders", "sales").settle()
    assert name in mesh.stores.at("https://s3.test").buckets
    (told,) = [event.note for _, event in mesh.cluster.events if event.reason == "Retained"]
    assert "as the edit was refused by a policy" in told
