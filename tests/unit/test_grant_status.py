"""What an AccessGrant's status tells its owner: whether access rests on it, until when, and what is still to happen where it does not."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from clouddatamesh.api.fields import parse_time
from clouddatamesh.model.access import Home
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.model.outcome import Outcome
from clouddatamesh.model.world import GrantWorld
from clouddatamesh.plan.access import terms
from clouddatamesh.status.grants import report
from tests.unit.access_rows import DAILY, DRAINING, HOURLY, LATER, NEWER, OLD, SEEN, SOON
from tests.unit.access_scene import END, NOW, TOO_LONG, Scene, approve, capped, deny, deny_all, read, superseded

PAST: Final = "2026-02-15T00:00:00Z"
LONGER: Final = approve("longer", made="2026-01-15T00:00:00Z", validUntil=LATER)
GOES: Final = "The access that rests on this grant is being taken away; its key may work until then"
LEFT: Final = "ObjectStore main was given up while the principal was in it; its key may work"
RUNS: Final = {"is_provisioned": True, "was_given": True}
"""What the request says of access that was read back."""
DATA: Final = {"data": {"classification": "internal", "personalData": False}}


def with_status(grant: Manifest, **status: Any) -> Manifest:
    return {**grant, "metadata": {**grant["metadata"], "generation": 3}, "status": status}


def ended(grant: Manifest) -> Manifest:
    """The same grant, once access on this very spec ended by its port's terms."""
    return with_status(grant, endedGeneration=3)


def given_to(grant: Manifest, domain: str, namespace: str) -> Manifest:
    """The same grant, once it gave to this Domain."""
    return with_status(grant, consumer={"domain": domain, "namespaceUid": namespace})


def look(grant: Manifest, *others: Manifest, facts: dict[str, Any] | None = None, asked: bool = True, **differs: Any) -> Outcome:
    """The outcome for a grant next to others; `facts` are what the request's status says, `differs` is how the world does."""
    scene = Scene(grants=(grant, *others), **differs)
    ask = replace(scene.ask(), **(facts or {}))
    return report(read(grant), GrantWorld(scene.world(), ask if asked else None))


@dataclass(frozen=True)
class Row:
    """A grant, and what is told of it: `ready` is status and reason, `effect` the status of InEffect."""

    what: str
    ready: str
    effect: str
    grant: Manifest
    others: tuple[Manifest, ...] = ()
    stalled: bool = False
    until: str = ""
    message: str = ""
    differs: dict[str, Any] = field(default_factory=dict)


def row(what: str, ready: str, effect: str, grant: Manifest, *others: Manifest, **told: Any) -> Row:
    known = {name: told.pop(name) for name in ("stalled", "until", "message") if name in told}
    return Row(what, ready, effect, grant, others, **known, differs=told)


ROWS: Final = (
    # It gives.
    row("access rests on it", "True Granted", "True", approve(), until=END, runs_on="yes", facts=RUNS,
        message="Access rests on this grant"),
    row("access rests on it and has no end", "True Granted", "True", approve(permanent=True), runs_on="yes", facts=RUNS,
        access={"allowPermanent": True}),
    row("its request was not seen yet", "Unknown Granted", "False", approve(), until=END, message="The access is being made"),
    row("the first key is being issued", "Unknown Granted", "False", approve(), until=END, runs_on="yes", keyless=True,
        message="The access is being made"),
    row("access on another grant runs, and passes to this one", "Unknown Granted", "False", approve(), until=END, runs_on="old", facts=RUNS,
        message="The access is being made"),
    row("access could not be read back just now", "Unknown Granted", "Unknown", approve(), until=END, runs_on="yes",
        facts={"was_given": True}, message="Access was given on this grant, and could not be read back just now; its key may work"),
    row("access runs, and a domain cannot be read", "False Unreadable", "True", approve(), stalled=True, until=END, runs_on="yes",
        facts=RUNS, consumer_home=Home("inventory", readable=False)),
    row("access runs on another one that lasts longer", "True Outlasted", "False", approve(), LONGER, until=END, runs_on="longer",
        facts=RUNS),
    row("it lasts longer than the one on which access runs", "Unknown Granted", "False", approve("longer", validUntil=LATER), approve(),
        until=LATER, runs_on="yes", facts=RUNS),
    row("the one that lasts longer was not read back", "True Outlasted", "False", approve(), LONGER, until=END, runs_on="longer",
        facts={"was_given": True}),
    row("access goes on on another one, and nothing new is given", "Unknown DomainNotFound", "False", approve("longer", validUntil=LATER),
        approve(), until=LATER, runs_on="yes", facts=RUNS, consumer_home=None, message="and ends with that one"),
    row("the port's maxDuration ends it earlier", "True Granted", "True", approve(), until="2026-03-03T00:00:00Z", runs_on="yes",
        facts=RUNS, access={"maxDuration": "30d"}),
    # Its end.
    row("its end has passed", "True Expired", "False", OLD, until=PAST, message="Its end has passed; it can be deleted"),
    row("its end is exactly now", "True Expired", "False", approve(validUntil=NOW), until=NOW),
    row("its end has passed, and its access is still there", "Unknown Expired", "Unknown", OLD, until=PAST, runs_on="old", facts=RUNS,
        message=f"Its end has passed. {GOES}"),
    row("its end has passed by a clock that is not trusted", "True Granted", "True", OLD, until=PAST, runs_on="old", facts=RUNS,
        trusted=False),
    row("its end is exactly now by a clock that is not trusted", "True Granted", "True", approve(validUntil=NOW), until=NOW, runs_on="yes",
        facts=RUNS, trusted=False),
    row("the port ended it, and its own end is to come", "True Expired", "False", ended(approve()),
        message="Access on this grant ended by its port's terms; to give access again, change spec.validUntil, or create a new grant"),
    row("the port ended it, and its own end has passed", "True Expired", "False", ended(OLD), until=PAST),
    row("the port ended it, and its own end is exactly now", "True Expired", "False", ended(approve(validUntil=NOW)), until=NOW),
    row("the port ended it, and it names no end", "True Expired", "False", ended(approve(permanent=True)), access={"allowPermanent": True}),
    row("the port ended an earlier spec of it", "Unknown Granted", "False", with_status(approve(), endedGeneration=2), until=END),
    row("it is permanent, which the port does not allow", "False PermanentNotAllowed", "False", approve(permanent=True), stalled=True),
    row("it is permanent, which the port does not allow, and another one gives", "False PermanentNotAllowed", "False",
        approve("forever", permanent=True), approve(), stalled=True, runs_on="yes", facts=RUNS),
    # It was superseded.
    row("a newer one came into effect", "True Superseded", "False", superseded(approve()),
        message="A grant that was made later came into effect; this one never gives again"),
    row("a newer one is coming into effect", "True Superseded", "False", approve(), NEWER, runs_on="short", facts=RUNS),
    row("it supersedes an older one", "True Granted", "True", NEWER, approve(), until=SOON, runs_on="short", facts=RUNS),
    # Something keeps it from giving.
    row("the request is refused by another grant", "False Denied", "False", approve(), deny(), stalled=True, until=END),
    row("the request is refused while its access is still there", "Unknown Denied", "Unknown", approve(), deny(), runs_on="yes",
        facts=RUNS, message=GOES),
    row("the request is refused after access was given", "False Denied", "False", approve(), deny(), stalled=True, facts=RUNS),
    row("the product does not exist", "Unknown ProductNotFound", "False", approve(), until=END, exists=False),
    row("the product has no such port", "False PortNotFound", "False", approve(), stalled=True, until=END, port=HOURLY),
    row("the port drains, and its access is as it was", "True Granted", "True", approve(), until=SOON, runs_on="yes", facts=RUNS,
        told_until=SOON, **DRAINING),
    row("its namespace has no domain any more", "True Granted", "True", approve(), until=END, runs_on="yes", facts=RUNS,
        consumer_home=None),
    # It does not say what the request says.
    row("it names another port and leaves out the mode", "False GrantMismatch", "False", approve(outputPort=HOURLY, mode=None),
        stalled=True, message="The grant has no effect: spec.outputPort is hourly 1.x, the request asks for daily 1.x; spec.mode is not"
        " given, the request asks for ReadOnly. Create a grant that says the same as the request"),
    row("it was given to a Domain that lost the namespace", "False GrantMismatch", "False", given_to(approve(), "support", "uid-before"),
        stalled=True, message="it was given to Domain support, whose namespace of this name is gone"),
    row("it was given to the Domain that has the namespace", "Unknown Granted", "False", given_to(approve(), "inventory", "uid-inventory"),
        until=END),
    row("it says something else, and its access is still there", "Unknown GrantMismatch", "Unknown", approve(mode="ReadWrite"),
        runs_on="yes", facts=RUNS, message=GOES),
    row("it cannot be read", "False Unreadable", "False", approve(note=TOO_LONG), stalled=True),
    # Its request is gone.
    row("nobody asks", "Unknown RequestNotFound", "False", approve(), asked=False,
        message="AccessRequest inventory/orders-for-forecast does not exist"),
    row("nobody asks, and its end has passed", "True Expired", "False", OLD, asked=False, until=PAST,
        message="Its end has passed; it can be deleted"),
    row("nobody asks, and its end is exactly now", "True Expired", "False", approve(validUntil=NOW), asked=False, until=NOW),
    row("nobody asks, and its end has passed by a clock that is not trusted", "Unknown RequestNotFound", "False", OLD, asked=False,
        trusted=False),
    row("nobody asks, and it names no end", "Unknown RequestNotFound", "False", approve(validUntil=None), asked=False),
    row("nobody asks, and it is permanent whatever end it names", "Unknown RequestNotFound", "False",
        approve(permanent=True, validUntil=PAST), asked=False),
    row("nobody asks, and it refuses until an end that has passed", "Unknown RequestNotFound", "False", deny(validUntil=PAST), asked=False),
    # It refuses.
    row("it refuses, and there is nothing to take away", "True Denied", "False", deny(),
        message="The request is refused, and the store has no user for it"),
    row("it refuses in words that cannot be read", "True Denied", "False", deny(note=TOO_LONG)),
    *(
        row(f"it refuses, and {what}", "Unknown Denied", "False", deny(), **differs,
            message="The request is refused. Its access is being taken away; its key may work until then")
        for what, differs in (
            ("access is recorded", {"runs_on": "yes"}),
            ("a principal is recorded", {"placed": "daily/"}),
            ("nobody knows whether it is gone", {"facts": {"is_in_doubt": True}}),
            ("access was read back", {"facts": {"is_provisioned": True}}),
        )
    ),
    # A store was given up with the principal in it.
    row("its store was given up", "Unknown Granted", "Unknown", approve(), until=END, facts={"abandoned": "main"},
        message=f"The access is being made. {LEFT}"),
    row("its store was given up, and its end has passed", "Unknown Expired", "Unknown", OLD, until=PAST, facts={"abandoned": "main"},
        message=f"Its end has passed. {LEFT}"),
    row("a store was given up, and access is in another one", "True Granted", "True", approve(), until=END, runs_on="yes",
        facts={**RUNS, "abandoned": "main"}),
    row("a store was given up, and it is superseded", "True Superseded", "False", superseded(approve()), facts={"abandoned": "main"}),
    row("a store was given up, and it refuses", "Unknown Denied", "False", deny(), facts={"abandoned": "main"},
        message=f"The request is refused. {LEFT}"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_what_is_told_of_a_grant(row: Row) -> None:
    """Ready says what it comes to, InEffect whether a key may work, and validUntil until when."""
    outcome = look(row.grant, *row.others, **row.differs)
    (effect,) = (found for found in outcome.findings if found.type == "InEffect")
    assert (f"{outcome.ready.status} {outcome.ready.reason}", effect.status) == (row.ready, row.effect)
    assert (outcome.stalled, outcome.fields.get("validUntil", "")) == (row.stalled, row.until)
    assert row.message in outcome.ready.message == effect.message
    expired = [found.status for found in outcome.findings if found.type == "Expired"]
    assert expired == (["True"] if "Expired" in row.ready else [])


@pytest.mark.parametrize(
    ("grant", "differs", "fields"),
    [
        (approve(), {"runs_on": "yes", "facts": RUNS}, {**DATA, "consumer": {"domain": "inventory", "namespaceUid": "uid-inventory"}}),
        (approve(), {"runs_on": "yes", "facts": RUNS, "consumer_home": None}, DATA),
        (approve(), {}, {}),
        (capped(approve(), "30d"), {}, {"maxDuration": "30d0h0m"}),
        (capped(deny(), "30d"), {}, {"maxDuration": "30d0h0m"}),
        (ended(approve()), {}, {}),
        (approve(), {"facts": {"was_given": True}, "exists": False}, {}),
        (approve(mode="ReadWrite"), {}, {}),
    ],
    ids=["it gives", "to a namespace without domain", "it gives nothing yet", "it gave under a cap", "it gave and refuses now", "it ended",
         "its product is gone", "it answers something else"],
)  # fmt: skip
def test_what_a_grant_remembers(grant: Manifest, differs: dict[str, Any], fields: dict[str, Any]) -> None:
    """What it answers, under which cap it gave, and to which Domain, so that nobody inherits it with the name of a namespace."""
    found = dict(look(grant, **differs).fields)
    found.pop("validUntil", "")
    assert found == {"requestDigest": terms.digest(Scene().ask()), **fields}


@pytest.mark.parametrize(
    ("grant", "differs", "due"),
    [
        (approve(), {"runs_on": "yes", "facts": RUNS}, END),
        (approve(), {}, END),
        (approve(permanent=True), {"access": {"allowPermanent": True}}, None),
        (OLD, {}, None),
        (OLD, {"trusted": False, "runs_on": "old", "facts": RUNS}, None),
        (approve(validUntil=NOW), {"trusted": False, "runs_on": "yes", "facts": RUNS}, None),
    ],
    ids=["access runs", "access is made", "it has no end", "its end has passed", "passed by a clock that is not trusted", "exactly now"],
)
def test_a_grant_is_reconciled_again_at_its_end(grant: Manifest, differs: dict[str, Any], due: str | None) -> None:
    """At an end that has passed nothing is left to wait for: by a clock that is not trusted that would be a busy loop."""
    assert look(grant, **differs).due == (parse_time(due) if due else None)


# A refusal of a whole namespace.

EVERY: Final = "Every request from namespace inventory for "
NONE: Final = ", and there is nothing in a store for any of them"
WORKS: Final = "may still work: Its access is being taken away; its key may work until then"


@pytest.mark.parametrize(
    ("port", "refused", "differs", "ready", "message"),
    [
        (None, (), {}, "True Denied", f"{EVERY}DataProduct sales/orders is refused{NONE}"),
        (DAILY, (), {}, "True Denied", f"{EVERY}port daily 1.x of sales/orders is refused{NONE}"),
        (DAILY, ("",), {}, "True Denied", f"{EVERY}port daily 1.x of sales/orders is refused{NONE}"),
        (None, ("yes",), {}, "Unknown Denied", f"{EVERY}DataProduct sales/orders is refused. Keys of r0 {WORKS}"),
        (None, ("", "yes", "yes"), {}, "Unknown Denied", f"{EVERY}DataProduct sales/orders is refused. Keys of r1, r2 {WORKS}"),
        (DAILY, (), {"port": {}, "seen": SEEN}, "True Denied", f"{EVERY}port daily 1.x of sales/orders is refused{NONE}"),
        (HOURLY, ("yes",), {}, "Unknown Denied", f"{EVERY}port hourly 1.x of sales/orders is refused. Keys of r0 {WORKS}"),
        (HOURLY, (), {}, "Unknown PortNotFound", "DataProduct sales/orders has no output port hourly of version 1.x, so the grant refuses"
         " nothing. Correct spec.outputPort: its ports are daily 1.0.0"),
        (HOURLY, (), {"port": {}}, "Unknown PortNotFound", "DataProduct sales/orders has no output port hourly of version 1.x, so the grant"
         " refuses nothing. Correct spec.outputPort: its ports are none"),
        (None, (), {"exists": False}, "Unknown ProductNotFound", "DataProduct sales/orders does not exist, so the grant refuses nothing."
         " Correct spec.dataProductRef, or create the product"),
    ],
    ids=["nobody asks", "nobody asks for the port", "who asks has nothing", "one has access", "two of three have access",
         "the port left the spec", "the port is gone and somebody has access", "there is no such port", "there is no port", "no product"],
)  # fmt: skip
def test_what_a_refusal_of_a_whole_namespace_comes_to(
    port: Any, refused: tuple[str, ...], differs: dict[str, Any], ready: str, message: str
) -> None:
    """It names whose keys may still work, and says where it refuses nothing; it is never in effect, and nobody is Stalled by it."""
    asks = tuple(replace(Scene(runs_on=grant).ask(), key=Key("AccessRequest", "inventory", f"r{n}")) for n, grant in enumerate(refused))
    outcome = report(read(deny_all(outputPort=port)), GrantWorld(Scene(**differs).world(), None, asks))
    assert (f"{outcome.ready.status} {outcome.ready.reason}", outcome.ready.message) == (ready, message)
    assert [(found.type, found.status) for found in outcome.findings] == [("InEffect", "False")]
    assert (outcome.stalled, outcome.fields) == (False, {})
