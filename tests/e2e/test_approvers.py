"""Ports that ask several people, on the real API server and RGW: two approvers are two people, and neither writes the other's name.

Also what a port promises to whoever asks (answerWithin), keeps (keepGiven), and what owners hear when data becomes more delicate.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.e2e.access import Access, Deal, Manifest, condition_of
from tests.e2e.actors import SERVICE_ACCOUNT, Actors
from tests.e2e.people import Person
from tests.e2e.places import Place, in_seconds
from tests.support.manifests import a_domain

MAKERS, USERS = "consent-makers", "consent-users"
GUARD: Final = "clouddatamesh-approver-guard"
KIM, LEE, ADMIN = Person("kim"), Person("lee"), Person("root", ("system:masters",))
APPLIER, OPERATOR = Person("applier", ("system:masters",)), Person(SERVICE_ACCOUNT)
APPLY: Final = ("apply", "--server-side", "--force-conflicts", "-f", "-")
DRY: Final = "--dry-run=server"


@dataclass(frozen=True)
class Consent:
    """A domain with two owners, and what waits since it was opened."""

    place: Place
    late: Deal

    def says(self, person: Person, *args: str, manifest: Manifest | None = None) -> str:
        """What the API server says against it; empty where it is done."""
        return self.place.says(*args, *person.flags, stdin=json.dumps(manifest) if manifest else None)

    def patch(self, person: Person, name: str, spec: dict[str, Any], *flags: str) -> str:
        return self.says(person, "patch", "agrant", name, "-n", MAKERS, "--type=merge", "-p", json.dumps({"spec": spec}), *flags)

    def grant(self, name: str) -> Manifest:
        return self.place.mesh.installed.get("agrant", name, MAKERS)

    def request(self, deal: Deal) -> Manifest:
        return self.place.mesh.installed.get("areq", deal.name, USERS)

    def until(self, true: Any, what: str, *, seconds: float = 30) -> None:
        self.place.mesh.installed.until(true, seconds=seconds, what=what)

    def events(self, kind: str, name: str, namespace: str) -> list[Manifest]:
        """Those that tell of an escalation."""
        found = self.place.items("events", namespace)
        about = [event for event in found if (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == (kind, name)]
        return [event for event in about if event["reason"] == "NotAnswered"]


def by(deal: Deal, person: str, **spec: Any) -> Manifest:
    """One person's approval."""
    name = f"{deal.name}-{person}"
    whole = {**deal.grant["spec"], "approver": person, **spec}
    metadata = {"name": name, "namespace": MAKERS}
    return {**deal.grant, "metadata": metadata, "spec": {field: said for field, said in whole.items() if said is not None}}


@pytest.fixture(scope="module")
def consent(brisk: Actors) -> Iterator[Consent]:
    place = Place.opened(brisk, MAKERS, USERS)
    place.apply(a_domain(MAKERS, access={"owners": [{"kind": "User", "name": person.user} for person in (KIM, LEE)]}))
    kept = {"maxDuration": "90d"}
    place.offer(
        {
            "two": {"approvals": 2},
            "late": {"answerWithin": "1m"},
            "kept": {**kept, "keepGiven": True},
            "cut": kept,
            "class": {},
            "back": {"approvals": 2},
        }
    )
    late = place.deal("late", "late")
    place.apply(late.request)
    found = Consent(place, late)
    found.until(lambda: not found.says(KIM, "auth", "can-i", "create", "accessgrants", "-n", MAKERS), "the owners")
    yield found


@pytest.fixture(scope="module")
def shared(consent: Consent) -> tuple[Deal, Access]:
    """Access that two people gave, each as themselves."""
    deal = consent.place.deal("shared", "two")
    consent.place.apply(deal.request)
    assert not consent.says(KIM, *APPLY, manifest=by(deal, "kim"))
    consent.until(lambda: condition_of(consent.grant("shared-kim"), "InEffect").get("reason") == "AwaitingApprovers", "the first of two")
    counted = {"required": 2, "given": 1, "approvedBy": ["kim"]}
    consent.until(lambda: consent.request(deal).get("status", {}).get("approvals") == counted, "the count of the request")
    assert not consent.says(LEE, *APPLY, manifest=by(deal, "lee", validUntil=in_seconds(3600)))
    consent.place.mesh.installed.wait("areq", deal.name, USERS)
    access = Access.of(consent.place.mesh, deal)
    assert access.reads()
    return deal, access


def test_neither_of_two_writes_the_name_of_the_other(consent: Consent) -> None:
    deal = consent.place.deal("forged", "two")
    for person in (KIM, ADMIN):
        assert GUARD in consent.says(person, *APPLY, DRY, manifest=by(deal, "lee"))
    assert GUARD in consent.says(KIM, *APPLY, DRY, manifest=by(deal, "lee", decision="Deny", validUntil=None))
    named = by(deal, "operator", approver=SERVICE_ACCOUNT)
    assert "denied request" in consent.says(OPERATOR, "create", DRY, "-f", "-", manifest=named)


def test_a_trusted_applier_writes_every_name_and_nobody_else(consent: Consent) -> None:
    deal = consent.place.deal("applied", "two")
    for person in ("kim", "lee"):
        assert not consent.says(APPLIER, *APPLY, DRY, manifest=by(deal, person))
        assert GUARD in consent.says(ADMIN, *APPLY, DRY, manifest=by(deal, person))
    assert not consent.says(ADMIN, *APPLY, DRY, manifest={**deal.grant, "metadata": {"name": "unnamed", "namespace": MAKERS}})


def test_nobody_gives_more_by_the_grant_of_another(consent: Consent, shared: tuple[Deal, Access]) -> None:
    longer = {"validUntil": "2100-01-01T00:00:00Z"}
    assert shared[1].reads()
    for person in (LEE, ADMIN):
        assert GUARD in consent.patch(person, "shared-kim", longer, DRY)
    assert not consent.patch(KIM, "shared-kim", longer, DRY)
    assert not consent.patch(APPLIER, "shared-kim", longer, DRY)
    assert "immutable" in consent.patch(LEE, "shared-kim", {"approver": "lee"}, DRY)
    assert not consent.patch(LEE, "shared-kim", {"decision": "Deny", "validUntil": None}, DRY)
    assert not consent.says(LEE, "label", "agrant", "shared-kim", "-n", MAKERS, "team=orders", DRY)


def test_a_denial_is_turned_into_an_approval_by_its_approver_alone(consent: Consent) -> None:
    deal = consent.place.deal("refused", "two")
    assert not consent.says(KIM, *APPLY, manifest=by(deal, "kim", decision="Deny", validUntil=None))
    approves = {"decision": "Approve", "validUntil": "2099-01-01T00:00:00Z"}
    assert GUARD in consent.patch(LEE, "refused-kim", approves, DRY)
    assert not consent.patch(KIM, "refused-kim", approves, DRY)
    consent.place.delete("agrant", "refused-kim")


def test_what_a_port_keeps_and_what_it_does_not(consent: Consent) -> None:
    deals = [consent.place.deal(name, name, validUntil=in_seconds(80 * 86400)) for name in ("kept", "cut")]
    consent.place.give(*deals)
    ends = {deal.name: consent.request(deal)["status"]["validUntil"] for deal in deals}
    for name, keeps in (("kept", True), ("cut", False)):
        consent.place.apply(consent.place.product_manifest(name, {"maxDuration": "30d", **({"keepGiven": True} if keeps else {})}))
    consent.until(lambda: consent.request(deals[1])["status"]["validUntil"] != ends["cut"], "the smaller cap")
    consent.place.mesh.nudge("kept", MAKERS, token="again")
    assert consent.request(deals[0])["status"]["validUntil"] == ends["kept"]


def test_data_that_became_more_delicate_asks_for_a_reassessment(consent: Consent) -> None:
    deal = consent.place.deal("class", "class")
    access = consent.place.give(deal)["class"]
    consent.until(lambda: "data" in consent.grant("for-class").get("status", {}), "the terms of the grant")
    for terms, expected in (({"personalData": True}, "True"), ({"personalData": False}, None)):
        assert not consent.place.patch("dp", "class", terms)
        consent.until(lambda: condition_of(consent.grant("for-class"), "ReassessmentDue").get("status") == expected, f"{terms}")  # noqa: B023
    assert access.reads()


def test_a_request_that_nobody_answers_is_escalated_once(consent: Consent) -> None:
    installed = consent.place.mesh.installed
    consent.until(lambda: condition_of(consent.request(consent.late), "Escalated").get("status") == "True", "the escalation", seconds=120)
    told = (("AccessRequest", "late", USERS), ("DataProduct", "late", MAKERS))
    consent.until(lambda: all(consent.events(*about) for about in told), "the events")
    since = consent.request(consent.late)["status"]["pendingSince"]

    def escalated() -> list[str | None]:
        inbox = installed.get("ainbox", "late", MAKERS).get("status", {})
        return [entry.get("escalated") for entry in inbox.get("pending", ())]

    consent.until(lambda: escalated() == [since], "the inbox")
    token = "again"
    installed.cluster.kubectl("annotate", "areq", "late", "-n", USERS, f"clouddatamesh.dev/reconcile-requested-at={token}")
    consent.until(lambda: consent.request(consent.late)["status"].get("lastHandledReconcileAt") == token, "another look")
    time.sleep(1)
    assert [len(consent.events(*about)) for about in told] == [1, 1]


def test_an_approval_needs_the_second_one_also_where_the_port_comes_back_with_its_defaults(consent: Consent) -> None:
    """Who may write products and approve nothing takes away the port that nobody uses, and adds it again."""
    deal, installed = consent.place.deal("back", "back"), consent.place.mesh.installed
    consent.place.apply(deal.request)
    assert not consent.says(KIM, *APPLY, manifest=by(deal, "kim"))
    consent.until(lambda: consent.grant("back-kim").get("status", {}).get("requiredApprovals") == 2, "the record on the grant")
    assert not consent.place.patch("dp", "back", {"outputPorts": []})
    consent.until(lambda: not installed.get("dp", "back", MAKERS)["status"].get("outputPorts"), "the end of the port")
    consent.place.apply(consent.place.product_manifest("back", {}))
    asked = "The port asked for the approvals of 2 people"
    consent.until(lambda: condition_of(consent.request(deal), "Ready")["message"].startswith(asked), "the message of the request")
    consent.until(lambda: condition_of(consent.grant("back-kim"), "InEffect")["reason"] == "AwaitingApprovers", "the word of the grant")
    assert not consent.says(LEE, *APPLY, manifest=by(deal, "lee"))
    installed.wait("areq", deal.name, USERS)
    assert consent.request(deal)["status"]["grantRef"]["name"] == "back-lee"


def test_one_of_two_revokes_what_both_gave(consent: Consent, shared: tuple[Deal, Access]) -> None:
    deal, access = shared
    assert not consent.says(LEE, "delete", "agrant", "shared-lee", "-n", MAKERS, "--wait=false")
    access.ends(seconds=20)
    access.says("Revoked")
    assert condition_of(consent.request(deal), "Provisioned")["status"] == "False"
