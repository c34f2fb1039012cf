"""Rows of the table in which something keeps access from being given, or an approval from giving again."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from clouddatamesh import reasons as r
from clouddatamesh.model.access import Home
from tests.unit.access_rows import ANEW, AUTO, LATER, NEWER, OLD, RENEWAL, SHORT, SOON, SOONEST, Row, gives, keeps, stalls, waits
from tests.unit.access_scene import NOW, OWNED, TOO_LONG, approve, denied, deny, going, superseded, unasked

OBSTACLES: Final[tuple[tuple[str, str, dict[str, Any], Callable[..., Row]], ...]] = (
    ("the product is deprecated", r.NO_NEW_GRANTS, {"product": {"lifecycle": "deprecated"}}, stalls),
    ("the port is deprecated", r.NO_NEW_GRANTS, {"port": {"deprecated": True}}, stalls),
    ("the product is suspended", r.NO_NEW_GRANTS, {"product": {"suspend": True}}, stalls),
    ("the product violates a policy that denies", r.NO_NEW_GRANTS, {"product_denied": True}, stalls),
    ("a policy refuses the request", r.POLICY_VIOLATION, {"refused": True}, stalls),
    ("the product is in mode Observe", r.NO_NEW_GRANTS, {"product": {"mode": "Observe"}}, stalls),
    ("the product is in mode Plan", r.NO_NEW_GRANTS, {"product": {"mode": "Plan"}}, stalls),
    ("the product is being deleted", r.NO_NEW_GRANTS, {"deleting": True}, stalls),
    ("the store serves the domain no more", r.NO_NEW_GRANTS, {"storage_ready": ("False", r.NOT_ALLOWED)}, stalls),
    ("the product's domain is cordoned", r.NO_NEW_GRANTS, {"product_home": Home("sales", cordoned=True)}, stalls),
    ("the product's namespace has no domain", r.DOMAIN_NOT_FOUND, {"product_home": None}, waits),
    ("the product's domain is being deleted", r.DOMAIN_NOT_FOUND, {"product_home": Home("sales", deleting=True)}, waits),
    ("the domain that asks is being deleted", r.DOMAIN_NOT_FOUND, {"consumer_home": Home("inventory", deleting=True)}, waits),
    ("the bucket is being made", r.PRODUCT_NOT_READY, {"storage": {**OWNED, "phase": "Creating"}}, waits),
    ("the bucket is not verified", r.PRODUCT_NOT_READY, {"storage": {**OWNED, "ownershipVerified": False}}, waits),
    ("the product's status is lost", r.PRODUCT_NOT_READY, {"storage": None}, waits),
    ("the bucket is missing", r.PRODUCT_NOT_READY, {"storage_ready": ("False", r.BUCKET_MISSING)}, stalls),
    ("the bucket lost its marks", r.PRODUCT_NOT_READY, {"storage_ready": ("False", r.MARKS_MISSING)}, stalls),
    ("the bucket was seen once as another's", r.PRODUCT_NOT_READY, {"storage_ready": ("Unknown", r.LOSS_UNCONFIRMED)}, stalls),
    ("many buckets of the store were lost at once", r.PRODUCT_NOT_READY, {"storage_ready": ("False", r.STORAGE_LOSS_BRAKE)}, stalls),
    ("the request cannot be read", r.UNREADABLE, {"asks": {"purpose": TOO_LONG}}, stalls),
    ("the product cannot be read", r.UNREADABLE, {"product": {"classification": "cosmic"}}, stalls),
    ("the product's lifecycle is one of a later version", r.UNREADABLE, {"product": {"lifecycle": "paused"}}, stalls),
    ("the product's domain cannot be read", r.UNREADABLE, {"product_home": Home("sales", readable=False)}, stalls),
    ("the domain that asks cannot be read", r.UNREADABLE, {"consumer_home": Home("inventory", readable=False)}, stalls),
)


def _obstacle(why: str, reason: str, differs: dict[str, Any], refuses: Callable[..., Row]) -> tuple[Row, ...]:
    """What each obstacle does to access that runs, that is new, recorded only, longer, ended, refused or automatic."""
    better = (approve(), approve("longer", validUntil=LATER))
    asks = {**differs.get("asks", {}), **RENEWAL}
    runs: Callable[..., Row] = gives
    if reason == r.UNREADABLE or (refuses is stalls and reason == r.PRODUCT_NOT_READY):
        runs = partial(keeps, trouble=reason)
    return (
        runs(f"{why}, and access runs", runs_on="yes", **differs),
        refuses(f"{why}, and the grant is new", reason, **differs),
        refuses(f"{why}, and the grant was recorded and no key issued yet", reason, runs_on="yes", keyless=True, **differs),
        runs(f"{why}: access that runs is not made longer by another grant", runs_on="yes", grants=better, **differs),
        refuses(f"{why}, and access that ran has ended", reason, runs_on="old", grants=(OLD,), **differs),
        stalls(f"{why}, and the owner refuses", r.DENIED, runs_on="yes", grants=(approve(), deny()), **differs),
        refuses(f"{why}, and the port is Auto", reason, grants=(), **differs, **AUTO),
        runs(f"{why}: access of an Auto port that runs is not renewed", until=SOONEST, runs_on="yes",
             grants=(SHORT,), **AUTO, **{**differs, "asks": asks}),
    )  # fmt: skip


POLICY: Final = (
    stalls("the grant violates a policy that denies", r.POLICY_VIOLATION, grants=(denied(approve()),)),
    gives("a policy that denies came after access was given", runs_on="yes", grants=(denied(approve()),)),
    stalls("a policy that denies came after access was recorded, before a key was issued", r.POLICY_VIOLATION, runs_on="yes", keyless=True,
           grants=(denied(approve()),)),
    gives("another grant keeps the policy", grant="other", grants=(denied(approve()), approve("other"))),
    gives("access runs, and a longer grant violates a policy that denies", runs_on="yes",
          grants=(approve(), denied(approve("longer", validUntil=LATER)))),
    stalls("the grant violates a policy that denies, and the owner refuses", r.DENIED, grants=(denied(approve()), deny())),
    waits("the grant violates a policy that denies, and its end has passed", r.AWAITING_GRANT, grants=(denied(OLD),)),
    gives("a policy that denies came after access was given: it is made no longer by an edit of its grant", until=SOON, told_until=SOON,
          runs_on="yes", grants=(denied(approve(validUntil=LATER)),)),
    keeps("access runs on a grant that is gone, and another one cannot be judged now", r.UNREADABLE, grant="longer", until=SOON,
          told_until=SOON, runs_on="yes", grants=(unasked(approve("longer", validUntil=LATER)),)),
    stalls("another one cannot be judged now, and the end that status says has passed", r.POLICY_VIOLATION, told_until=NOW, runs_on="yes",
           grants=(unasked(approve("longer", validUntil=LATER)),)),
    stalls("the grant cannot be judged now, and no access runs", r.POLICY_VIOLATION, grants=(unasked(approve()),)),
    keeps("access runs on a grant that was renamed, and neither the new one nor the product can be judged", r.UNREADABLE, grant="longer",
          until=SOON, told_until=SOON, runs_on="yes", grants=(unasked(approve("longer", validUntil=LATER)),), product_unasked=True),
    gives("access runs, and the product cannot be judged now", runs_on="yes", product_unasked=True),
    waits("no access runs, and the product cannot be judged now", r.NO_NEW_GRANTS, product_unasked=True),
    stalls("access runs on a grant that was renamed, the new one cannot be judged now, and the product is suspended", r.NO_NEW_GRANTS,
           runs_on="yes", told_until=SOON, grants=(unasked(approve("longer", validUntil=LATER)),), product={"suspend": True}),
    stalls("the grant on which access runs is gone, another one cannot be judged now, and the owner refuses", r.DENIED, runs_on="yes",
           told_until=SOON, grants=(unasked(approve("longer", validUntil=LATER)), deny())),
    stalls("access ran on a grant that violates a policy that denies, and ended", r.EXPIRED, runs_on="old", grants=(denied(OLD),),
           ended_before=True),
)  # fmt: skip
OBSTACLE_ROWS: Final = tuple(row for obstacle in OBSTACLES for row in _obstacle(*obstacle))

BUCKET: Final = (
    stalls("the bucket is another's", r.PRODUCT_NOT_READY, storage_ready=("False", r.NOT_OWNED), runs_on="yes"),
    stalls("the bucket was released by its tag", r.PRODUCT_NOT_READY, storage_ready=("False", r.RELEASED), runs_on="yes"),
    stalls("the bucket is another's, and the port is Auto", r.PRODUCT_NOT_READY, storage_ready=("False", r.NOT_OWNED), grants=(), **AUTO),
    gives("status is lost, the bucket's name is taken, and access runs", storage=None, storage_ready=("False", r.NOT_OWNED), runs_on="yes"),
    gives("the bucket cannot be read for the moment, and access runs", storage_ready=("False", "StoreUnavailable"), runs_on="yes"),
    gives("the bucket was in doubt, and is read back again", storage_ready=("True", r.MARKS_MISSING)),
    keeps("the bucket lost its marks, and the grant on which access runs was replaced", r.PRODUCT_NOT_READY, runs_on="old", placed="daily/",
          storage_ready=("False", r.MARKS_MISSING)),
    stalls("the bucket lost its marks, the product is deprecated, and the grant on which access runs was replaced", r.PRODUCT_NOT_READY,
           runs_on="old", placed="daily/", storage_ready=("False", r.MARKS_MISSING), product={"lifecycle": "deprecated"}),
)  # fmt: skip

UNREADABLE: Final = (
    keeps("the grant on which access runs cannot be read", r.UNREADABLE, runs_on="yes", grants=(approve(note=TOO_LONG),)),
    keeps("that grant cannot be read: access ends when status says", r.UNREADABLE, until=SOON, told_until=SOON, runs_on="yes",
          grants=(approve(note=TOO_LONG),)),
    keeps("the end of that grant cannot be read", r.UNREADABLE, until=SOON, told_until=SOON, runs_on="yes",
          grants=(approve(validUntil="in a while"),)),
    stalls("that grant cannot be read, and the end that status says has passed", r.EXPIRED, told_until=NOW, runs_on="yes",
           grants=(approve(note=TOO_LONG),)),
    keeps("that grant cannot be read, and another, longer one can", r.UNREADABLE, until=SOON, told_until=SOON, runs_on="yes",
          grants=(approve(note=TOO_LONG), approve("longer", validUntil=LATER))),
    gives("the end that status says has passed, and another grant can be read", grant="longer", until=LATER, told_until=NOW, runs_on="yes",
          grants=(approve(note=TOO_LONG), approve("longer", validUntil=LATER))),
    stalls("that grant was recorded and no key issued yet, and it cannot be read", r.UNREADABLE, runs_on="yes", keyless=True,
           grants=(approve(note=TOO_LONG),)),
    stalls("that grant was recorded and no key issued yet, it cannot be read, and the port is Auto", r.UNREADABLE, runs_on="yes",
           keyless=True, grants=(approve(note=TOO_LONG),), **AUTO),
    gives("that grant was recorded and no key issued yet, it cannot be read, and another one can", grant="longer", until=LATER,
          runs_on="yes", keyless=True, grants=(approve(note=TOO_LONG), approve("longer", validUntil=LATER))),
    stalls("that grant was recorded and no key issued yet, it cannot be read, and its recorded end has passed", r.EXPIRED, told_until=NOW,
           runs_on="yes", keyless=True, grants=(approve(note=TOO_LONG),)),
    waits("a grant that cannot be read gives nothing new", r.AWAITING_GRANT, grants=(approve(note=TOO_LONG),)),
    gives("a grant that cannot be read, and one that can", grants=(approve("broken", note=TOO_LONG, validUntil=LATER), approve())),
    stalls("a refusal that cannot be read", r.DENIED, grants=(approve(), deny(note=TOO_LONG)), runs_on="yes"),
    stalls("a grant that says neither Approve nor Deny", r.DENIED, grants=(approve(), approve("hm", decision="Perhaps")), runs_on="yes"),
    stalls("the grant on which access runs says neither Approve nor Deny", r.DENIED, grants=(approve(decision="Perhaps"),), runs_on="yes"),
    stalls("a grant without decision", r.DENIED, grants=(approve(), approve("mute", decision=None)), runs_on="yes"),
    stalls("a refusal without consumer", r.DENIED, grants=(approve(), deny(consumer=None)), runs_on="yes"),
    stalls("a refusal whose consumer is of no kind that is known", r.DENIED, grants=(approve(), deny(consumer={"teamRef": {"name": "x"}})),
           runs_on="yes"),
    stalls("a refusal without mode", r.DENIED, grants=(approve(), deny(mode=None)), runs_on="yes"),
    stalls("a refusal without port", r.DENIED, grants=(approve(), deny(outputPort=None)), runs_on="yes"),
    gives("a refusal of a mode that is not known", grants=(approve(), deny(mode="Append")), runs_on="yes"),
    waits("an approval without consumer", r.AWAITING_GRANT, grants=(approve(consumer=None),)),
    waits("an approval without mode", r.AWAITING_GRANT, grants=(approve(mode=None),)),
)  # fmt: skip

CLOCK: Final = (
    gives("access runs", runs_on="yes", trusted=False),
    gives("access runs, and by this clock it has ended", grant="old", until="2026-02-15T00:00:00Z", runs_on="old", grants=(OLD,),
          trusted=False),
    gives("access runs, and is not made longer by another grant", runs_on="yes", grants=(approve(), approve("longer", validUntil=LATER)),
          trusted=False),
    waits("the grant is new", r.CLOCK_SKEWED, trusted=False),
    waits("the grant on which access ran was deleted", r.CLOCK_SKEWED, grants=(), runs_on="yes", trusted=False),
    stalls("access runs, and the owner refuses", r.DENIED, grants=(approve(), deny()), runs_on="yes", trusted=False),
    waits("the port is Auto", r.CLOCK_SKEWED, grants=(), trusted=False, **AUTO),
    gives("access of an Auto port is not renewed", until=SOONEST, asks=RENEWAL, grants=(SHORT,), runs_on="yes", trusted=False, **AUTO),
)  # fmt: skip

SUPERSEDED: Final = (
    waits("an approval that a newer one superseded gives nothing", r.AWAITING_GRANT, grants=(superseded(approve()),)),
    gives("the newer one is shorter", grant="short", until=SOON, grants=(superseded(approve(validUntil=LATER)), NEWER)),
    stalls("the newer one has ended", r.EXPIRED, grants=(superseded(approve()), approve("short", made=ANEW, validUntil=NOW))),
    stalls("it is set to Deny", r.DENIED, grants=(superseded(deny()), approve())),
    gives("access runs on the newer one: the older is superseded from now on", grant="short", until=SOON, marks=("yes",), runs_on="short",
          grants=(approve(validUntil=LATER), NEWER)),
    gives("access runs on the older one, which is longer", until=LATER, runs_on="yes", grants=(approve(validUntil=LATER), NEWER)),
    gives("nothing runs yet: the longer one gives", until=LATER, grants=(approve(validUntil=LATER), NEWER)),
    waits("the newer one, on which access runs, is deleted", r.AWAITING_GRANT, marks=("yes",), runs_on="short",
          grants=(approve(validUntil=LATER), going(NEWER))),
    stalls("the newer one, on which access runs, is set to Deny", r.DENIED, marks=("yes",), runs_on="short",
           grants=(approve(validUntil=LATER), deny("short", made=ANEW))),
    stalls("the newer one, on which access ran, has ended", r.EXPIRED, marks=("yes",), runs_on="short",
           grants=(approve(validUntil=LATER), approve("short", made=ANEW, validUntil=NOW))),
    gives("the older one, on which access runs, is deleted: the newer gives", grant="short", until=SOON, runs_on="yes",
          grants=(going(approve(validUntil=LATER)), NEWER)),
    waits("of two of the same second the one that ends earlier is the older", r.AWAITING_GRANT, marks=("yes",), runs_on="longer",
          grants=(approve(), going(approve("longer", validUntil=LATER)))),
    gives("of two of the same second the one that ends later is the newer", grant="longer", until=LATER, runs_on="yes",
          grants=(going(approve()), approve("longer", validUntil=LATER))),
    waits("of two of the same second the one without end is the newer", r.AWAITING_GRANT, marks=("yes",), runs_on="forever",
          access={"allowPermanent": True}, grants=(approve(), going(approve("forever", permanent=True)))),
    waits("of two of the same second and end the name decides", r.AWAITING_GRANT, marks=("yes",), runs_on="yes2",
          grants=(approve(), going(approve("yes2")))),
    gives("of two of the same second and end the later name is the newer", grant="yes2", runs_on="yes",
          grants=(going(approve()), approve("yes2"))),
    gives("an older one that is being deleted itself is marked too", grant="short", until=SOON, marks=("yes",), runs_on="short",
          grants=(going(approve(validUntil=LATER)), NEWER)),
    keeps("access runs on the newer one, and the product cannot be read", r.UNREADABLE, grant="short", until=SOON, runs_on="short",
          product={"lifecycle": "paused"}, grants=(NEWER,)),
)  # fmt: skip
