"""The starter pack: one object that keeps each rule and one that breaks it, with `live` as the operator makes it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import yaml

from clouddatamesh.api.v1alpha1.policy import GovernancePolicy
from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.checking.schema import with_defaults
from clouddatamesh.cli.check import definitions, find_faults
from clouddatamesh.generate.starterpack import starter_file, starter_manifests
from clouddatamesh.generate.starterrules import PACK
from clouddatamesh.governance.live import bucket_facts, live_facts
from clouddatamesh.governance.policies import build_policy
from clouddatamesh.governance.scope import Lineage, Subject
from clouddatamesh.governance.verdicts import Hearing, judge
from clouddatamesh.model.bucket import Bucket, Statement
from clouddatamesh.model.objects import key_of
from clouddatamesh.plan.policies import TLS_ONLY_SID
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_grant, a_product

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
RULES: Final = {rule.name: policy for policy in PACK for rule in policy.rules}
PORT: Final = {"name": "daily", "version": "1.0.0", "path": "daily/"}
SAFE: Final = Bucket(
    name="acme-orders",
    public_access_blocked=True,
    policy=(Statement(TLS_ONLY_SID, "Deny", ("s3:*",), ("*",)),),
    encryption="AES256",
    versioning="Enabled",
)


def port(**access: Any) -> dict[str, Any]:
    return {**PORT, "access": access}


def product(*, age: int = 1, region: str = "eu-central-1", consumers: int = 1, bucket: Bucket | None = SAFE, **spec: Any) -> dict[str, Any]:
    """A product with a status, as old as that."""
    found = a_product(**spec)
    status = {
        "storage": {"bucket": "acme-orders", "region": region} if bucket else {},
        "outputPorts": [{"name": "daily", "version": "1.0.0", "consumers": consumers}],
    }
    return {**found, "status": status, "metadata": {**found["metadata"], "creationTimestamp": since(age)}, "seen": bucket}


def grant(age: int, in_effect: str = "True") -> dict[str, Any]:
    found = a_grant()
    status = {"conditions": [{"type": "InEffect", "status": in_effect}]}
    return {**found, "status": status, "metadata": {**found["metadata"], "creationTimestamp": since(age)}}


def since(age: int) -> str:
    return (NOW - timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def broken(manifest: dict[str, Any], domain: Mapping[str, Any], overdue: int = 0) -> set[str]:
    """The rules that an object breaks, judged as the operator judges it."""
    bucket = manifest.pop("seen", None)
    stored = with_defaults(manifest, definitions()[manifest["kind"]].schema)
    live = live_facts(stored, bucket_facts(bucket) if bucket else None, NOW)
    engine = DirectExpressions()
    policies = [build_policy(GovernancePolicy.model_validate(policy), engine.compile) for policy in starter_manifests()]
    assert not any(policy.faults for policy in policies)
    subject = Subject(key_of(stored), stored, Lineage(({},), ("sales",)))
    verdicts = judge(subject, policies, Hearing({**domain, "training": {"overdue": overdue}}, live), engine.judge)
    assert not any("could not be evaluated" in verdict.message for verdict in verdicts), verdicts
    return {verdict.rule for verdict in verdicts}


EU: Final = a_domain(resources={"allowedRegions": ["eu-central-1"]})
OWNER: Final = {"name": "Kim Roe", "email": "kim@example.com"}
LINK: Final = [{"channel": "#sales", "url": "https://chat.example.com/sales"}]
CASES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "owner-named": (product(owner=OWNER), product(owner={"name": "Kim Roe"})),
    "support-named": (product(support=[{"channel": "#sales"}]), product()),
    "contact-answers": (product(support=LINK, outputPorts=[PORT]), product(support=[{"channel": "#sales"}], outputPorts=[PORT])),
    "purpose-said": (product(description={"purpose": "Every order line since 2019, from basket to booking"}), product()),
    "classification-set": (product(personalData=True, classification="restricted"), product(personalData=True)),
    "personal-data-by-decision": (
        product(personalData=True, outputPorts=[port()]),
        product(personalData=True, outputPorts=[port(approval="Auto")]),
    ),
    "personal-data-with-end": (
        product(personalData=True, outputPorts=[port(maxDuration="90d")]),
        product(personalData=True, outputPorts=[port(maxDuration="90d", allowPermanent=True)]),
    ),
    "restricted-not-permanent": (
        product(classification="restricted", outputPorts=[port()]),
        product(classification="restricted", outputPorts=[port(allowPermanent=True)]),
    ),
    "public-access-blocked": (product(), product(bucket=replace(SAFE, public_access_blocked=False))),
    "tls-only": (product(), product(bucket=replace(SAFE, policy=()))),
    "encrypted": (product(), product(bucket=replace(SAFE, encryption=None))),
    "versioned": (product(), product(bucket=replace(SAFE, versioning="Suspended"))),
    "retention-declared": (
        product(storage={"lifecycleRules": [{"prefix": "tmp/", "expireAfter": "7d"}]}),
        product(storage={"lifecycleRules": [{"abortUploadsAfter": "7d"}]}),
    ),
    "residency": (product(), product(region="us-east-1")),
    "used": (product(age=400, outputPorts=[PORT]), product(age=183, consumers=0, outputPorts=[PORT])),
    "access-reassessed": (grant(365), grant(366)),
}


@pytest.mark.parametrize("rule", CASES)
def test_one_object_keeps_it_and_one_breaks_it(rule: str) -> None:
    keeps, breaks = CASES[rule]
    assert rule not in broken(dict(keeps), EU)
    assert rule in broken(dict(breaks), EU)


PROPOSED: Final = {**product(bucket=None), "spec": {"lifecycle": "proposed"}}


@pytest.mark.parametrize(
    ("manifest", "rules"),
    [
        (PROPOSED, {"owner-named", "support-named", "purpose-said"}),
        (
            product(outputPorts=[], customProperties=[{"property": "retention", "value": "ten years, by law"}]),
            {"support-named", "purpose-said"},
        ),
        (grant(700, in_effect="False"), set()),
        (a_domain(), set()),
    ],
    ids=["no bucket yet", "kept for a reason", "a grant that ended", "a Domain"],
)
def test_what_a_rule_does_not_concern_keeps_it(manifest: dict[str, Any], rules: set[str]) -> None:
    assert broken(dict(manifest), EU) == rules


def test_a_training_that_is_overdue_is_a_violation_of_the_domain() -> None:
    assert broken(a_domain(), a_domain(), overdue=0) == set()
    assert broken(a_domain(), a_domain(), overdue=1) == {"team-trained"}
    assert {*RULES} == {*CASES, "team-trained"}


def test_a_domain_that_names_no_regions_allows_all() -> None:
    assert "residency" not in broken(product(region="us-east-1"), a_domain())


def test_the_pack_only_reports_and_is_as_the_api_server_wants_it() -> None:
    assert len(RULES) >= 15
    for policy in starter_manifests():
        assert policy["spec"]["enforcement"] == "Audit"
        assert find_faults(policy) == []
        assert all(rule["severity"] and rule["remediation"] for rule in policy["spec"]["rules"])
    assert yaml.safe_load(starter_file())["policies"] == starter_manifests()


def test_the_retail_mesh_is_judged_by_it() -> None:
    files = sorted((ROOT / "examples" / "retail").glob("*.yaml"))
    products = [one for file in files for one in yaml.safe_load_all(file.read_text()) if one and one["kind"] == "DataProduct"]
    assert all(broken(one, EU) is not None for one in products)
