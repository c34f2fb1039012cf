"""Every state that a decision on access can rest on, and the decision. docs/access.md is written from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh import reasons as r
from tests.unit.access_scene import END, MADE, NOW, OWNED, Scene, approve, deny, deny_all, elsewhere


@dataclass(frozen=True)
class Row:
    """One state of the world, and what is decided in it."""

    what: str
    scene: Scene
    reason: str
    grant: str = ""
    """Name of the grant that gives; empty: nothing is given."""
    until: str = ""
    stalled: bool = False
    answer: bool = False


def gives(what: str, *, grant: str = "yes", until: str = END, answer: bool = False, **differs: Any) -> Row:
    return Row(what, Scene(**differs), r.GRANTED, grant, until, answer=answer)


def waits(what: str, reason: str, *, answer: bool = False, **differs: Any) -> Row:
    """Something else must happen first."""
    return Row(what, Scene(**differs), reason, answer=answer)


def stalls(what: str, reason: str, **differs: Any) -> Row:
    """Somebody must change something."""
    return Row(what, Scene(**differs), reason, stalled=True)


DAILY: Final = {"name": "daily", "version": "1.0.0"}
SEEN: Final = {**DAILY, "path": "daily/", "draining": True}
DRAINING: Final[dict[str, Any]] = {"port": {}, "seen": SEEN}
AUTO: Final[dict[str, Any]] = {"access": {"approval": "Auto"}}
AUTO_PERMANENT: Final[dict[str, Any]] = {"access": {"approval": "Auto", "allowPermanent": True}}
FOREVER: Final = {"permanent": True, "duration": None}
SOON: Final = "2026-03-25T00:00:00Z"
LATER: Final = "2026-05-01T00:00:00Z"
OLD: Final = approve("old", validUntil="2026-02-15T00:00:00Z")
SOONEST: Final = "2026-03-05T00:00:00Z"
SHORT: Final = approve(validUntil=SOONEST)
TOMORROW: Final = {"renewal": {"requestedAt": "2026-03-02T00:00:00Z"}}
RENEWAL: Final = {"renewal": {"requestedAt": "2026-02-25T00:00:00Z"}}
ANEW: Final = "2026-02-26T00:00:00Z"
HOURLY: Final = {"name": "hourly", "version": "1.0.0"}
ACCOUNT: Final = {"serviceAccountRef": {"name": "loader"}}

PRODUCT: Final = (
    gives("the plain world: an active product, a bucket, both domains, one approval"),
    waits("the product does not exist", r.PRODUCT_NOT_FOUND, exists=False),
    waits("the product is proposed", r.NOT_OFFERED, product={"lifecycle": "proposed"}, runs_on="yes"),
    waits("the product is a draft", r.NOT_OFFERED, product={"lifecycle": "draft"}, runs_on="yes"),
    stalls("the product is retired", r.NOT_OFFERED, product={"lifecycle": "retired"}, runs_on="yes"),
    stalls("the product is being deleted by force", r.NOT_OFFERED, deleting=True, forced=True, runs_on="yes"),
    gives("the product carries the mark of force, and is not being deleted", forced=True),
)

PORT: Final = (
    stalls("the product has no such port", r.PORT_NOT_FOUND, port=HOURLY, runs_on="yes"),
    stalls("the product has no port at all", r.PORT_NOT_FOUND, port={}, runs_on="yes"),
    stalls("the port has another major version", r.PORT_NOT_FOUND, port={"version": "2.0.0"}, runs_on="yes"),
    gives("the port has a newer minor version", port={"version": "1.7.2"}),
    gives("request and grant name minor versions of their own", asks={"outputPort": {"name": "daily", "version": "1.2.0"}}),
    stalls("the port does not offer the mode", r.MODE_NOT_OFFERED, access={"modes": ["WriteOnly", "ReadWrite"]}, runs_on="yes"),
    gives("the port offers the mode among others", access={"modes": ["ReadWrite", "ReadOnly"]}),
    gives("the port drains, and access runs on the grant", runs_on="yes", **DRAINING),
    stalls("the port drains, and access does not run yet", r.NO_NEW_GRANTS, **DRAINING),
    stalls("the port drains, and the grant on which access runs was replaced", r.NO_NEW_GRANTS, runs_on="old", **DRAINING),
    gives("the port drains: access ends when status says", until=SOON, told_until=SOON, runs_on="yes", **DRAINING),
    stalls("the port drains, and the end that status says has passed", r.NO_NEW_GRANTS, told_until=NOW, runs_on="yes", **DRAINING),
    gives("the port drains, and is not known to offer the mode", asks={"mode": "ReadWrite"}, runs_on="yes",
          grants=(approve(mode="ReadWrite"),), **DRAINING),
    stalls("another port drains", r.PORT_NOT_FOUND, port={}, seen={**SEEN, **HOURLY}, runs_on="yes"),
    stalls("another major version drains", r.PORT_NOT_FOUND, port={}, seen={**SEEN, "version": "2.0.0"}, runs_on="yes"),
    stalls("the port left, and its path is not known", r.PORT_NOT_FOUND, port={}, seen={**SEEN, "path": None}, runs_on="yes"),
)  # fmt: skip

CONSUMER: Final = (
    waits("the consuming product does not exist", r.CONSUMER_NOT_FOUND, consumer_exists=False, runs_on="yes"),
    gives("a ServiceAccount is the consumer", asks={"consumer": ACCOUNT}, grants=(approve(consumer=ACCOUNT),)),
    waits("the ServiceAccount does not exist", r.CONSUMER_NOT_FOUND, consumer_exists=False, asks={"consumer": ACCOUNT}, runs_on="yes"),
    waits("a namespace without domain asks", r.DOMAIN_NOT_FOUND, consumer_domain_exists=False),
    gives("a namespace lost its domain, and access runs", consumer_domain_exists=False, runs_on="yes"),
)

OBSTACLES: Final[tuple[tuple[str, str, dict[str, Any], Callable[..., Row]], ...]] = (
    ("the product is deprecated", r.NO_NEW_GRANTS, {"product": {"lifecycle": "deprecated"}}, stalls),
    ("the product is suspended", r.NO_NEW_GRANTS, {"product": {"suspend": True}}, stalls),
    ("the product is in mode Observe", r.NO_NEW_GRANTS, {"product": {"mode": "Observe"}}, stalls),
    ("the product is in mode Plan", r.NO_NEW_GRANTS, {"product": {"mode": "Plan"}}, stalls),
    ("the product is being deleted", r.NO_NEW_GRANTS, {"deleting": True}, stalls),
    ("the product's domain is cordoned", r.NO_NEW_GRANTS, {"product_domain": {"cordoned": True}}, stalls),
    ("the product's namespace has no domain", r.DOMAIN_NOT_FOUND, {"product_domain_exists": False}, waits),
    ("the bucket is being made", r.PRODUCT_NOT_READY, {"storage": {**OWNED, "phase": "Creating"}}, waits),
    ("the bucket is not verified", r.PRODUCT_NOT_READY, {"storage": {**OWNED, "ownershipVerified": False}}, waits),
    ("the product's status is lost", r.PRODUCT_NOT_READY, {"storage": None}, waits),
)


def _obstacle(why: str, reason: str, differs: dict[str, Any], refuses: Callable[..., Row]) -> tuple[Row, ...]:
    """What each obstacle does to access that runs, that is new, longer, ended, refused or automatic."""
    better = (approve(), approve("longer", validUntil=LATER))
    return (
        gives(f"{why}, and access runs", runs_on="yes", **differs),
        refuses(f"{why}, and the grant is new", reason, **differs),
        gives(f"{why}: access that runs is not made longer by another grant", runs_on="yes", grants=better, **differs),
        refuses(f"{why}, and access that ran has ended", reason, runs_on="old", grants=(OLD,), **differs),
        stalls(f"{why}, and the owner refuses", r.DENIED, runs_on="yes", grants=(approve(), deny()), **differs),
        refuses(f"{why}, and the port is Auto", reason, grants=(), **differs, **AUTO),
        gives(f"{why}: access of an Auto port that runs is not renewed", until=SOONEST, asks=RENEWAL, runs_on="yes",
              grants=(SHORT,), **differs, **AUTO),
    )  # fmt: skip


BUCKET: Final = (
    stalls("the bucket is not the product's own any more", r.PRODUCT_NOT_READY, storage_ready=("False", r.NOT_OWNED), runs_on="yes"),
    gives("the bucket cannot be read for the moment, and access runs", storage_ready=("False", "StoreUnavailable"), runs_on="yes"),
)

GRANTS: Final = (
    waits("nobody has answered", r.AWAITING_GRANT, grants=()),
    gives("two approvals: the later end counts", grant="longer", until=LATER, grants=(approve("longer", validUntil=LATER), approve())),
    gives("two approvals, in any order", grant="longer", until=LATER, grants=(approve(), approve("longer", validUntil=LATER))),
    gives("two approvals of one end: the later name counts", grant="yes2", grants=(approve("yes2"), approve())),
    gives("an approval without end is later than any end", grant="forever", until="", access={"allowPermanent": True},
          grants=(approve("forever", permanent=True), approve())),
    gives("access runs, and a longer approval comes", grant="longer", until=LATER, runs_on="yes",
          grants=(approve(), approve("longer", validUntil=LATER))),
    gives("one approval has ended, another has not", grants=(OLD, approve())),
    gives("a permanent approval where the port allows it", until="", access={"allowPermanent": True}, grants=(approve(permanent=True),)),
    stalls("a permanent approval where the port does not allow it", r.PERMANENT_NOT_ALLOWED, grants=(approve(permanent=True),)),
    stalls("the port does not allow permanent access any more", r.PERMANENT_NOT_ALLOWED, grants=(approve(permanent=True),), runs_on="yes"),
    stalls("a permanent approval with maxDuration where none is allowed", r.PERMANENT_NOT_ALLOWED, access={"maxDuration": "90d"},
           grants=(approve(permanent=True),)),
    stalls("an approval that is permanent and names an end", r.PERMANENT_NOT_ALLOWED, grants=(approve(permanent=True, validUntil=END),)),
    gives("a permanent approval that is not allowed beside one with an end", grants=(approve("forever", permanent=True), approve())),
    gives("a permanent wish, answered with an end", asks=FOREVER),
    gives("maxDuration ends access before validUntil", until="2026-03-03T00:00:00Z", access={"maxDuration": "30d"}),
    gives("maxDuration would end access after validUntil", access={"maxDuration": "365d"}),
    gives("maxDuration ends permanent access", until="2026-05-02T00:00:00Z", access={"maxDuration": "90d", "allowPermanent": True},
          grants=(approve(permanent=True),)),
    stalls("maxDuration has passed", r.EXPIRED, access={"maxDuration": "10d"}, runs_on="yes"),
    stalls("the approval has ended", r.EXPIRED, grants=(OLD,), runs_on="old"),
    stalls("the approval ends exactly now", r.EXPIRED, grants=(approve(validUntil=NOW),), runs_on="yes"),
    gives("the approval ends in a second", until="2026-03-01T00:00:01Z", grants=(approve(validUntil="2026-03-01T00:00:01Z"),)),
    gives("the approval's end is written in another zone", until="2026-03-01T01:00:00Z",
          grants=(approve(validUntil="2026-03-01T03:00:00+02:00"),)),
    stalls("access ended by time, and the grant was deleted", r.EXPIRED, grants=(), ended_before=True),
    gives("access ended by time, and was granted again", grants=(OLD, approve()), ended_before=True),
    waits("access stood, and its grant was deleted", r.AWAITING_GRANT, grants=(), runs_on="yes"),
)  # fmt: skip

MISMATCH: Final = (
    *(
        waits(f"the grant names another {what}", r.AWAITING_GRANT, grants=(grant,), runs_on="yes")
        for what, grant in (
            ("product", approve(dataProductRef={"name": "returns"})),
            ("product of that name, in its own namespace", elsewhere(approve(), "inventory")),
            ("port", approve(outputPort=HOURLY)),
            ("major version of the port", approve(outputPort={"name": "daily", "version": "2.0.0"})),
            ("request", approve(requestRef={"namespace": "inventory", "name": "other"})),
            ("namespace of the request", approve(requestRef={"namespace": "support", "name": "orders-for-forecast"})),
            ("consumer", approve(consumer={"dataProductRef": {"name": "returns"}})),
            ("kind of consumer", approve(consumer={"serviceAccountRef": {"name": "forecast"}})),
            ("mode", approve(mode="ReadWrite")),
        )
    ),
    gives("the grant names another minor version of the port", grants=(approve(outputPort={"name": "daily", "version": "1.9.0"}),)),
    waits("an approval of a whole namespace", r.AWAITING_GRANT, grants=(deny_all(decision="Approve", validUntil=END),)),
    waits("an approval that names a request and no port", r.AWAITING_GRANT, grants=(approve(outputPort=None),)),
)

DENY: Final = (
    stalls("refused", r.DENIED, grants=(deny(),), runs_on="yes"),
    stalls("refused with a note", r.DENIED, grants=(deny(note="Ask the finance team"),)),
    stalls("refused and approved", r.DENIED, grants=(approve(), deny()), runs_on="yes"),
    stalls("refused, and approved later", r.DENIED, grants=(deny(), approve(made=ANEW))),
    stalls("refused with an end that has passed", r.DENIED, grants=(deny(validUntil="2026-02-15T00:00:00Z"), approve())),
    stalls("the whole namespace is refused", r.DENIED, grants=(deny_all(), approve()), runs_on="yes"),
    stalls("the whole namespace is refused at this port", r.DENIED, grants=(deny_all(outputPort=DAILY), approve())),
    gives("the whole namespace is refused at another port", grants=(deny_all(outputPort=HOURLY), approve())),
    gives("the whole namespace is refused at another major version",
          grants=(deny_all(outputPort={"name": "daily", "version": "2.0.0"}), approve())),
    gives("another namespace is refused", grants=(deny_all(consumerNamespace="support"), approve())),
    gives("the whole namespace is refused for another product", grants=(deny_all(dataProductRef={"name": "returns"}), approve())),
    gives("another mode is refused", grants=(deny(mode="ReadWrite"), approve())),
    gives("another consumer is refused", grants=(deny(consumer=ACCOUNT), approve())),
    stalls("the port is Auto, and the owner refuses", r.DENIED, grants=(approve("auto"), deny()), **AUTO),
    stalls("the grant that an Auto port gave was set to Deny", r.DENIED, grants=(deny("auto"),), runs_on="auto", **AUTO),
)  # fmt: skip

AUTOMATIC: Final = (
    waits("the port is Auto, and there is no grant yet", r.AWAITING_GRANT, answer=True, grants=(), **AUTO),
    gives("the port is Auto, and has answered", grant="auto", grants=(approve("auto"),), **AUTO),
    waits("the port is Auto, and its answer was deleted", r.AWAITING_GRANT, answer=True, grants=(), runs_on="auto", **AUTO),
    waits("the port is Auto, and permanent access is asked and allowed", r.AWAITING_GRANT, answer=True, asks=FOREVER, grants=(),
          **AUTO_PERMANENT),
    stalls("the port is Auto, and permanent access is asked and not allowed", r.PERMANENT_NOT_ALLOWED, asks=FOREVER, grants=(), **AUTO),
    gives("the port is Auto, permanent access is asked and not allowed, and the owner gives an end", asks=FOREVER, **AUTO),
    waits("the port is Auto, and the owner's permanent approval is not allowed", r.AWAITING_GRANT, answer=True,
          grants=(approve(permanent=True),), **AUTO),
    stalls("the port is Auto, and its answer has ended", r.EXPIRED, grants=(OLD,), runs_on="old", **AUTO),
    stalls("the port is Auto, and its answer was deleted after it had ended", r.EXPIRED, grants=(), ended_before=True, **AUTO),
    waits("the port is Auto, its answer has ended, and a renewal is asked", r.AWAITING_GRANT, answer=True, asks=RENEWAL,
          grants=(OLD,), **AUTO),
    waits("the port is Auto, its ended answer was deleted, and a renewal is asked", r.AWAITING_GRANT, answer=True, asks=RENEWAL,
          grants=(), ended_before=True, **AUTO),
    stalls("the port is Auto, permanent access is not allowed, the owner's grant has ended, and a renewal is asked",
           r.PERMANENT_NOT_ALLOWED, asks={**FOREVER, **RENEWAL}, grants=(OLD,), **AUTO),
)  # fmt: skip

RENEWALS: Final = (
    gives("a renewal is asked, and the owner has not answered", asks=RENEWAL),
    gives("a renewal is asked and answered", grant="again", until=LATER, asks=RENEWAL,
          grants=(approve(), approve("again", made=ANEW, validUntil=LATER))),
    stalls("a renewal is asked and refused", r.DENIED, asks=RENEWAL, grants=(approve(), deny(made=ANEW)), runs_on="yes"),
    waits("access has ended, and a renewal is asked", r.EXPIRED, asks=RENEWAL, grants=(OLD,)),
    waits("access has ended, the grant was deleted, and a renewal is asked", r.EXPIRED, asks=RENEWAL, grants=(), ended_before=True),
    stalls("the answer to a renewal has ended as well", r.EXPIRED, asks=RENEWAL,
           grants=(OLD, approve("again", made=ANEW, validUntil="2026-02-27T00:00:00Z"))),
    gives("an Auto port: a renewal is asked two weeks before the end", answer=True, until=SOONEST, asks=RENEWAL,
          grants=(SHORT,), **AUTO),
    gives("an Auto port: a renewal is answered in the second that it was asked", until=SOONEST, asks={"renewal": {"requestedAt": MADE}},
          grants=(SHORT,), **AUTO),
    gives("an Auto port: a renewal is asked too early", asks=RENEWAL, **AUTO),
    gives("an Auto port: the end is near, and a renewal is asked for tomorrow", until=SOONEST, asks=TOMORROW, grants=(SHORT,), **AUTO),
    stalls("an Auto port: access has ended, and a renewal is asked for tomorrow", r.EXPIRED, asks=TOMORROW, grants=(OLD,), **AUTO),
    gives("an Auto port: a renewal is asked and answered", grant="again", asks=RENEWAL,
          grants=(SHORT, approve("again", made=ANEW)), **AUTO),
    gives("an Auto port: the end is near, and no renewal is asked", until=SOONEST, grants=(SHORT,), **AUTO),
    gives("an Auto port: a renewal of access that has no end", until="", asks=RENEWAL, grants=(approve(permanent=True),), **AUTO_PERMANENT),
    gives("an Auto port: permanent access is not allowed, and a renewal of an end is asked", until=SOONEST,
          asks={**FOREVER, **RENEWAL}, grants=(SHORT,), **AUTO),
)  # fmt: skip

TABLE: Final[dict[str, tuple[Row, ...]]] = {
    "The product": PRODUCT,
    "The port": PORT,
    "The consumer": CONSUMER,
    "The bucket": BUCKET,
    "Where nothing new is given": tuple(row for obstacle in OBSTACLES for row in _obstacle(*obstacle)),
    "The grants": GRANTS,
    "Grants of something else": MISMATCH,
    "Refusals": DENY,
    "Ports that answer by themselves": AUTOMATIC,
    "Renewals": RENEWALS,
}
ROWS: Final = tuple(row for rows in TABLE.values() for row in rows)
