"""What the operator finds after it was away, and what others did to access meanwhile: first it takes away, then it mends. On RGW."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hack.tools.store import Store
from tests.e2e.access import BODY, Access, Deal, a_deal, condition_of
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.acts import WIDE
from tests.support.installation import NAMESPACE
from tests.support.manifests import a_domain, a_product, a_store
from tests.support.pods import in_a_pod
from tests.support.relay import Relay

CONSUMER = {"dataProductRef": {"name": "reader"}}
DRIFT = 60.0
"""Seconds of the drift interval; a look comes a tenth later at most, and may take a moment."""
LASTS = 45.0
"""Seconds of a grant that ends while the operator is away: it has to be given, and the operator stopped, before."""
FOREIGN = ("theirs", "taken")
EMPTIED = '{"data":null}'
CHANGED = '{"stringData":{"secret-access-key":"somebody wrote this"}}'


@dataclass(frozen=True)
class Watched(Actors):
    """Actors who also see what reaches the store."""

    relay: Relay


@pytest.fixture(scope="module")
def watched(pytestconfig: pytest.Config, rgw: Store) -> Iterator[Watched]:
    """The mesh `down`, which looks for drift every minute, with a product to read and all that its operator asks of the store."""
    values = {"log.level": "debug", "driftInterval": "1m"}
    with in_a_pod(pytestconfig, mesh="down", values=values) as installed, Relay(rgw.endpoint, host=installed.host) as relay:
        installed.give_credentials(rgw)
        installed.apply(a_store(endpointUrl=relay.endpoint, region=rgw.region, bucketPrefix="down"), a_domain(), a_domain("inventory"))
        actors = Watched(installed, rgw, relay)
        installed.wait("objectstore", "main", seconds=60)
        installed.apply(a_product("source"), a_product("other"), a_product("reader", "inventory"))
        installed.wait("dataproduct", "reader", "inventory", seconds=60)
        for name in ("source", "other"):
            installed.wait("dataproduct", name, "sales")
            actors.s3.put_object(Bucket=actors.bucket(name), Key="daily/seed", Body=BODY)
        yield actors


def deal(name: str, **terms: Any) -> Deal:
    return a_deal(name, "sales/source", consumer=CONSUMER, **terms)


def give(mesh: Actors, *deals: Deal) -> list[Access]:
    """Several at once."""
    mesh.installed.apply(*(d.request for d in deals), *(d.grant for d in deals))
    mesh.installed.wait_all("areq", (d.name for d in deals), "inventory", seconds=120)
    return [Access.of(mesh, d) for d in deals]


# Away for a whole validity window.


@dataclass(frozen=True)
class Absence:
    """What was decided while nobody acted on it, and all writes of the operator after it came back, in their order."""

    ended: list[Access]
    meanwhile: Deal
    writes: list[str]


@pytest.fixture(scope="module")
def absence(watched: Watched) -> Absence:
    """Killed; then a grant ends by time, others by what their owners write, and a new one is made; then started again."""
    meanwhile = deal("meanwhile")
    watched.installed.apply(meanwhile.request)
    refused = a_deal("refused", "sales/other", consumer=CONSUMER)
    ended = give(watched, refused, *(deal(name) for name in ("denied", "shortened", "outvoted", "deleted")))
    until = datetime.now(UTC) + timedelta(seconds=LASTS)
    ended += give(watched, deal("over", validUntil=f"{until:%Y-%m-%dT%H:%M:%SZ}"))
    watched.installed.kill()
    watched.installed.scale(0)
    assert datetime.now(UTC) < until, "the grant was to end while the operator is away"
    watched.installed.apply(meanwhile.grant, *decide_meanwhile(ended))
    watched.installed.cluster.kubectl("delete", "agrant", "for-deleted", "-n", "sales", "--wait=false")
    watched.installed.until(lambda: datetime.now(UTC) > until, seconds=LASTS + 5, what="the end by time")
    assert all(access.reads() for access in ended), "nobody is there who could take it away"
    audit, store = watched.installed.cluster.audit.mark(), len(watched.relay.asked)
    watched.installed.scale(1)
    watched.installed.until(watched.installed.is_ready, seconds=90, what="the operator is back")
    for access in ended:
        access.ends(seconds=30)
    watched.installed.wait("areq", "meanwhile", "inventory")
    return Absence(ended, meanwhile, writes(watched, audit, store))


def decide_meanwhile(ended: list[Access]) -> Iterator[dict[str, Any]]:
    """One grant becomes a Deny, one ends earlier, one is outvoted by another, a namespace is refused at one product."""
    grants = {access.deal.name: access.deal.grant for access in ended}
    for name, change in (("denied", {"decision": "Deny"}), ("shortened", {"validUntil": "2026-01-01T00:00:00Z"})):
        yield {**grants[name], "spec": {**grants[name]["spec"], **change}}
    outvoted = grants["outvoted"]
    yield {**outvoted, "metadata": {"name": "against-outvoted", "namespace": "sales"}, "spec": {**outvoted["spec"], "decision": "Deny"}}
    whole = {"decision": "Deny", "dataProductRef": {"name": "other"}, "consumerNamespace": "inventory"}
    yield {**outvoted, "metadata": {"name": "no-inventory", "namespace": "sales"}, "spec": whole}


def writes(mesh: Watched, audit: int, store: int) -> list[str]:
    """What the operator wrote to cluster and store since two marks, by the time at which each was asked."""
    found = [(a.at, f"{a.action or a.method} {a.user or a.target}") for a in mesh.relay.asked[store:] if a.writes]
    for r in mesh.installed.cluster.audit.read(since=audit, user=SERVICE_ACCOUNT):
        if r.writes:
            found.append((r.at, f"{r.verb} {r.resource}/{r.subresource} {r.namespace}/{r.name}"))
    return [what for _, what in sorted(found)]


def test_the_first_writes_after_an_absence_are_the_revocations(absence: Absence) -> None:
    names = [access.deal.name for access in absence.ended]
    of_them = [any(f"inventory-{name}-" in write or f" inventory/{name}" in write for name in names) for write in absence.writes]
    first = absence.writes[: of_them.index(False)]
    gone = [access.principal for access in absence.ended if f"DeleteUserPolicy {access.principal}" in first]
    assert len(gone) == len(names), "\n".join(absence.writes[:40])


def test_what_was_granted_meanwhile_is_given_afterwards(absence: Absence, watched: Watched) -> None:
    assert Access.of(watched, absence.meanwhile).reads()


def test_status_says_what_happened_meanwhile(absence: Absence) -> None:
    for access, reason in zip(absence.ended, ("Denied", "Denied", "Expired", "Denied", "Revoked", "Expired"), strict=True):
        access.says(reason)


# What others do to it is mended within the drift interval.


def widen(access: Access) -> None:
    iam, user = access.mesh.iam, access.principal
    iam.put_user_policy(UserName=user, PolicyName="clouddatamesh", PolicyDocument=WIDE)


def add_policy(access: Access) -> None:
    access.mesh.iam.put_user_policy(UserName=access.principal, PolicyName="second", PolicyDocument=WIDE)


def add_key(access: Access) -> None:
    access.mesh.iam.create_access_key(UserName=access.principal)


def revive_key(access: Access) -> None:
    """A key that was disabled, and is enabled again; once more where the operator took it meanwhile."""
    iam, user = access.mesh.iam, access.principal
    while True:
        key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            for status in ("Inactive", "Active"):
                iam.update_access_key(UserName=user, AccessKeyId=key, Status=status)
            return


def disable_key(access: Access) -> None:
    iam = access.mesh.iam
    iam.update_access_key(UserName=access.principal, AccessKeyId=access.secret["access-key-id"], Status="Inactive")


def delete_secret(access: Access) -> None:
    access.mesh.installed.cluster.kubectl("delete", "secret", access.deal.name, "-n", "inventory")


def empty_secret(access: Access) -> None:
    access.mesh.installed.cluster.kubectl("patch", "secret", access.deal.name, "-n", "inventory", "-p", EMPTIED)


def change_secret(access: Access) -> None:
    access.mesh.installed.cluster.kubectl("patch", "secret", access.deal.name, "-n", "inventory", "-p", CHANGED)


HARM: dict[str, Callable[[Access], None]] = {
    "widened": widen,
    "second-policy": add_policy,
    "second-key": add_key,
    "revived-key": revive_key,
    "disabled-key": disable_key,
    "secret-deleted": delete_secret,
    "secret-emptied": empty_secret,
    "secret-changed": change_secret,
}
GRACE = ("secret-deleted", "secret-emptied", "secret-changed")
"""Where the key in the Secret was lost or cannot be trusted, there is a fresh one, and who holds the former one has an hour."""
RENEWED = ("disabled-key", *GRACE)


@pytest.fixture(scope="module")
def harmed(absence: Absence, watched: Watched) -> dict[str, tuple[Access, dict[str, Any]]]:
    """One access for each harm, all done at once; with what its policy was."""
    assert absence.ended
    given = give(watched, *(deal(name) for name in HARM))
    policies = [policy_of(access) for access in given]
    for access, harm in zip(given, HARM.values(), strict=True):
        harm(access)
    return {access.deal.name: (access, policy) for access, policy in zip(given, policies, strict=True)}


def policy_of(access: Access) -> dict[str, Any]:
    found = access.mesh.iam.get_user_policy(UserName=access.principal, PolicyName="clouddatamesh")["PolicyDocument"]
    return dict(found)


@pytest.fixture(scope="module")
def told(harmed: dict[str, tuple[Access, dict[str, Any]]]) -> dict[str, str]:
    """The reasons of drift that requests told since then: the next look, a minute later, finds none, and says so."""
    return dict.fromkeys(harmed, "")


def says_drift(mesh: Actors, told: dict[str, str], name: str) -> str:
    """What a request told of drift so far. What all others tell now is noted, whichever a test is about."""
    for request in mesh.installed.all("areq", "inventory"):
        drift = condition_of(request, "DriftDetected")
        if request["metadata"]["name"] in told and drift.get("status") == "True":
            told[request["metadata"]["name"]] = str(drift["reason"])
    return told[name]


@pytest.mark.parametrize("name", HARM)
def test_harm_is_mended_within_the_drift_interval_and_told(
    harmed: dict[str, tuple[Access, dict[str, Any]]], told: dict[str, str], name: str
) -> None:
    access, policy = harmed[name]
    mesh, iam = access.mesh, access.mesh.iam
    mesh.installed.until(lambda: says_drift(mesh, told, name), seconds=DRIFT * 1.1 + 5, what=f"{name} is told")
    assert told[name] == "Repaired"
    assert policy_of(access) == policy
    assert iam.list_user_policies(UserName=access.principal)["PolicyNames"] == ["clouddatamesh"]
    again = Access.of(mesh, access.deal)
    keys = [(key["AccessKeyId"], key["Status"]) for key in iam.list_access_keys(UserName=access.principal)["AccessKeyMetadata"]]
    former, held = access.secret["access-key-id"], again.secret["access-key-id"]
    assert sorted(keys) == sorted({(held, "Active"), (former if name in GRACE else held, "Active")})
    assert again.reads()
    assert (former != held) is (name in RENEWED)
    assert access.reads() is (name != "disabled-key")
    mesh.installed.until(lambda: is_told(mesh, name), what=f"the event of {name}")


def is_told(mesh: Actors, name: str) -> bool:
    found = mesh.installed.all("events", "inventory")
    return any(event["reason"] == "Repaired" and event["involvedObject"]["name"] == name for event in found)


# Secrets that are not ours, and what is in those that are.


def test_secrets_of_others_are_neither_read_nor_written(watched: Watched) -> None:
    for name in FOREIGN:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "inventory"}}
        watched.installed.apply({**secret, "stringData": {"secret-access-key": f"planted-in-{name}"}})
    before = [watched.installed.get("secret", name, "inventory") for name in FOREIGN]
    asked = deal("taken")
    watched.installed.apply(asked.request, asked.grant)
    watched.installed.until(
        lambda: "NotOwned" in str(watched.installed.get("areq", "taken", "inventory").get("status")), what="the refusal"
    )
    assert [watched.installed.get("secret", name, "inventory") for name in FOREIGN] == before
    status = watched.installed.get("areq", "taken", "inventory")["status"]
    assert watched.iam.list_access_keys(UserName=status["principal"])["AccessKeyMetadata"] == []
    secrets = [
        r for r in watched.installed.cluster.audit.read(user=SERVICE_ACCOUNT) if r.resource == "secrets" and r.namespace != NAMESPACE
    ]
    assert {r.verb for r in secrets} <= {"get", "create", "patch", "delete"}
    assert {r.kind for r in secrets if r.verb == "get" and r.code == 200} == {"PartialObjectMetadata"}
    assert "theirs" not in {r.name for r in secrets}
    assert {r.code for r in secrets if r.name == "taken" and r.writes} <= {409}


def test_secrets_show_nowhere(watched: Watched, absence: Absence, harmed: dict[str, tuple[Access, dict[str, Any]]]) -> None:
    found = watched.installed.all("secrets", "inventory")
    names = [secret["metadata"]["name"] for secret in found]
    keys = {watched.installed.secret(name, "inventory").get("secret-access-key", "") for name in names} - {""}
    held = {access.secret["secret-access-key"] for access in (*absence.ended, *(access for access, _ in harmed.values()))}
    assert len(held - keys) >= len(absence.ended), "these are gone, and show nowhere either"
    planted = {*keys, *held, watched.store.secret_key, "somebody wrote this"}
    seen = watched.installed.log() + watched.installed.page("/metrics")
    seen += watched.installed.cluster.kubectl("get", "events,datamesh,deployments", "-A", "-o", "json")
    assert "DEBUG" in seen
    assert [secret for secret in planted if secret in seen] == []
