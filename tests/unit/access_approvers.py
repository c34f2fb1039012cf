"""Rows of the table for ports that ask for the approvals of several people, and for ports that keep what was given."""

from typing import Any, Final

from clouddatamesh import reasons as r
from clouddatamesh.model.objects import Manifest
from tests.unit.access_rows import ANEW, AUTO, DRAINING, LATER, OLD, RENEWAL, SOON, Row, gives, keeps, stalls, waits
from tests.unit.access_scene import END, NOW, TOO_LONG, approve, capped, deny, going, noted, superseded, together

LATEST: Final = "2026-06-01T00:00:00Z"
TWO: Final[dict[str, Any]] = {"access": {"approvals": 2}}
KIM: Final[Manifest] = approve("kim", approver="kim")
LEE: Final[Manifest] = approve("lee", approver="lee", validUntil=LATER)
SAM: Final[Manifest] = approve("sam", approver="sam", validUntil=LATEST)
KIM_AGAIN: Final[Manifest] = approve("kim-again", made=ANEW, approver="kim", validUntil=LATEST)
LEE_ENDED: Final[Manifest] = approve("lee", approver="lee", validUntil="2026-02-15T00:00:00Z")
BOTH: Final[tuple[Manifest, ...]] = (together(KIM), together(LEE))
RUNS: Final[dict[str, Any]] = {"runs_on": "kim", "counted": ("kim", "lee")}
IN_DOUBT: Final[dict[str, Any]] = {"storage_ready": ("False", r.MARKS_MISSING)}
DEPRECATED: Final[dict[str, Any]] = {"product": {"lifecycle": "deprecated"}}

APPROVERS: Final[tuple[Row, ...]] = (
    waits("two people are needed, and nobody has approved", r.AWAITING_GRANT, grants=(), **TWO),
    waits("two people are needed, and one has approved", r.AWAITING_GRANT, grants=(KIM,), **TWO),
    gives("two people are needed, and two have approved: access ends with the first of them", grant="kim", grants=(KIM, LEE), **TWO),
    waits("two people are needed, and one has approved twice", r.AWAITING_GRANT, grants=(KIM, KIM_AGAIN), **TWO),
    gives("two people are needed, and the names of two differ by case", grant="kim",
          grants=(KIM, approve("other", approver="Kim", validUntil=LATER)), **TWO),
    waits("two people are needed, and one approval names nobody", r.AWAITING_GRANT, grants=(KIM, approve("yes")), **TWO),
    waits("two people are needed, and two approvals name nobody", r.AWAITING_GRANT, grants=(approve("yes"), approve("also")), **TWO),
    stalls("two people have approved, and one refuses", r.DENIED, grants=(*BOTH, deny(approver="sam")), **RUNS, **TWO),
    gives("two people are needed, and three have approved: the two latest ends count", grant="lee", until=LATER,
          grants=(KIM, LEE, SAM), **TWO),
    waits("three people are needed, and two have approved", r.AWAITING_GRANT, grants=(KIM, LEE), access={"approvals": 3}),
    gives("one person is enough, and a grant names an approver", grant="kim", grants=(KIM,)),
    gives("access rests on two", grant="kim", grants=BOTH, **RUNS, **TWO),
    waits("access rested on two, and one approval is being deleted", r.AWAITING_GRANT, grants=(BOTH[0], going(BOTH[1])), **RUNS, **TWO),
    waits("access rested on two, and one approval is gone", r.AWAITING_GRANT, grants=BOTH[:1], **RUNS, **TWO),
    waits("access rested on two, and the approval that ends first is gone", r.AWAITING_GRANT, grants=BOTH[1:], **RUNS, **TWO),
    gives("access rested on two, one approval is gone, and a third person has approved", grant="kim",
          grants=(BOTH[0], SAM), **RUNS, **TWO),
    stalls("access rested on two, and one approval has ended", r.EXPIRED, grants=(BOTH[0], together(LEE_ENDED)), **RUNS, **TWO),
    waits("access rested on two, one approval has ended, and a renewal is asked", r.EXPIRED,
          grants=(BOTH[0], together(LEE_ENDED)), asks=RENEWAL, **RUNS, **TWO),
    waits("access rested on two, one approval has ended, a renewal is asked, and one of two has answered it", r.EXPIRED,
          grants=(KIM_AGAIN, together(LEE_ENDED)), asks=RENEWAL, runs_on="lee", counted=("lee",), **TWO),
    waits("one approval ended before another person approved", r.AWAITING_GRANT, grants=(KIM, LEE_ENDED), **TWO),
    gives("access rests on two, and one of them renews", grant="lee", until=LATER, grants=(*BOTH, KIM_AGAIN), marks=(), **RUNS, **TWO),
    gives("one of two renewed: the former approval of the same person is superseded, and nobody else's", grant="lee", until=LATER,
          grants=(*BOTH, KIM_AGAIN), runs_on="lee", counted=("lee", "kim-again"), marks=("kim",), **TWO),
    waits("one of two renewed, and the newer approval is being deleted", r.AWAITING_GRANT,
          grants=(*BOTH, going(KIM_AGAIN)), runs_on="lee", counted=("lee", "kim-again"), marks=("kim",), **TWO),
    waits("one of two approvals is superseded", r.AWAITING_GRANT, grants=(superseded(KIM), LEE), **TWO),
    gives("access runs on one, and two people are needed by now", grant="kim", grants=(KIM,), runs_on="kim", **TWO),
    gives("access runs on one, two are needed by now, and its grant was made longer: it ends when status says", grant="kim", until=SOON,
          grants=(KIM,), runs_on="kim", told_until=SOON, **TWO),
    stalls("access runs on one, two are needed by now, and the end that status says has passed", r.EXPIRED,
           grants=(KIM,), runs_on="kim", told_until=NOW, **TWO),
    waits("access runs on one, two are needed by now, and its grant is gone", r.AWAITING_GRANT, grants=(LEE,), runs_on="kim", **TWO),
    gives("access runs on one, two are needed by now, and another person approves for longer", grant="kim",
          grants=(KIM, LEE), runs_on="kim", **TWO),
    gives("access runs on one, two are needed by now, and another person approves for less: nothing is taken", grant="lee", until=LATER,
          grants=(LEE, approve("kim", approver="kim", validUntil=SOON)), runs_on="lee", **TWO),
    waits("one approval was recorded and no key issued yet, and two are needed by now", r.AWAITING_GRANT,
          grants=(KIM,), runs_on="kim", keyless=True, **TWO),
    gives("access without end runs on one, two are needed by now, and another person approves", grant="kim", until="",
          grants=(approve("kim", approver="kim", permanent=True), LEE), runs_on="kim", access={"approvals": 2, "allowPermanent": True}),
    gives("access rests on two, and one is enough by now", grant="lee", until=LATER, grants=BOTH, **RUNS),
    gives("access rests on two, one is enough by now, and the approval that ends first is gone", grant="lee", until=LATER,
          grants=BOTH[1:], **RUNS),
    waits("two people were needed when one approved, and one is enough by now", r.AWAITING_GRANT, grants=(noted(KIM),)),
    gives("two people were needed when one approved, one is enough by now, and another person approves then", grant="lee", until=LATER,
          grants=(noted(KIM), LEE)),
    gives("two people were needed when one approved, one is enough by now, and a new approval names nobody", grant="yes",
          grants=(noted(KIM), approve("yes"))),
    gives("two people were needed when two approved, and one is enough by now", grant="kim", grants=(noted(KIM), noted(LEE))),
    gives("access rests on two that were needed, and one is enough by now", grant="kim", grants=tuple(map(noted, BOTH)), **RUNS),
    gives("access rests on two that were needed, one is enough by now, and the later made ends first", grant="kim-again", until=SOON,
          grants=(noted(together(LEE)), noted(together(approve("kim-again", made=ANEW, approver="kim", validUntil=SOON)))),
          runs_on="kim-again", counted=("lee", "kim-again")),
    waits("access rested on two that were needed, one is enough by now, and one approval is gone", r.AWAITING_GRANT,
          grants=(noted(BOTH[0]),), **RUNS),
    waits("three people were needed when one approved, and two approved once two were", r.AWAITING_GRANT,
          grants=(noted(KIM, 3), noted(LEE)), **TWO),
    gives("three people were needed when one approved, and two others approved once two were", grant="lee", until=LATER,
          grants=(noted(KIM, 3), noted(LEE), noted(SAM)), **TWO),
    gives("access rests on three, the product is deprecated, and two are enough by now", grant="kim", runs_on="kim",
          grants=(together(KIM, 3), together(LEE, 3), together(SAM, 3)), counted=("kim", "lee", "sam"), **DEPRECATED, **TWO),
    gives("access rests on two, and the port drains", grant="kim", grants=BOTH, **RUNS, **DRAINING),
    stalls("access rested on two, the port drains, and one approval is gone", r.NO_NEW_GRANTS, grants=BOTH[:1], **RUNS, **DRAINING),
    gives("access rests on two, and the product is deprecated", grant="kim", grants=BOTH, **RUNS, **TWO, **DEPRECATED),
    stalls("access rested on two, the product is deprecated, and one approval was replaced", r.NO_NEW_GRANTS,
           grants=(BOTH[1], KIM_AGAIN), **RUNS, **TWO, **DEPRECATED),
    stalls("the product is deprecated, and two new approvals are there", r.NO_NEW_GRANTS, grants=(KIM, LEE), **TWO, **DEPRECATED),
    keeps("access rests on two, the bucket lost its marks, and one approval was replaced", r.PRODUCT_NOT_READY, grant="lee", until=LATER,
          grants=(BOTH[1], KIM_AGAIN), placed="daily/", **RUNS, **TWO, **IN_DOUBT),
    gives("access rests on two, and by a clock that is not trusted one has ended", grant="lee", until="2026-02-15T00:00:00Z",
          grants=(BOTH[0], together(LEE_ENDED)), runs_on="lee", counted=("kim", "lee"), trusted=False, **TWO),
    keeps("access rests on two, and one of the grants cannot be read", r.UNREADABLE, grant="kim",
          grants=(BOTH[0], together(approve("lee", approver="lee", validUntil=LATER, note=TOO_LONG))), told_until=END, **RUNS, **TWO),
    keeps("access rests on two, and one approver cannot be read", r.UNREADABLE, grant="kim",
          grants=(BOTH[0], together(approve("lee", approver=7, validUntil=LATER))), told_until=END, **RUNS, **TWO),
    keeps("access rests on two, and how many are needed cannot be read", r.UNREADABLE, grant="kim", grants=BOTH,
          access={"approvals": "many"}, **RUNS),
    stalls("how many are needed cannot be read, and one has approved", r.UNREADABLE, grants=(KIM,), access={"approvals": "many"}),
    waits("a port of approval Auto asks two people", r.AWAITING_GRANT, grants=(), access={"approval": "Auto", "approvals": 2}),
    gives("an Auto port, and the owner approves by name", grant="kim", grants=(KIM,), **AUTO),
)  # fmt: skip

KEEPS: Final = {"maxDuration": "10d", "keepGiven": True}
FOREVER: Final[Manifest] = approve(permanent=True)
KEPT: Final[tuple[Row, ...]] = (
    stalls("the cap is smaller than when access was given", r.EXPIRED, grants=(capped(approve(), "90d"),), runs_on="yes",
           access={"maxDuration": "10d"}),
    gives("the cap is smaller than when access was given, and the port keeps that", grants=(capped(approve(), "90d"),), runs_on="yes",
          access=KEEPS),
    gives("the port keeps what was given, and the cap is larger by now", until="2026-03-03T00:00:00Z",
          grants=(capped(approve(), "30d"),), runs_on="yes", access={**KEEPS, "maxDuration": "90d"}),
    stalls("the port keeps what was given, and the grant is new", r.EXPIRED, grants=(approve(),), access=KEEPS),
    gives("access was given without a cap, and the port keeps that", grants=(approve(),), runs_on="yes", gave=True, told_until=END,
          access=KEEPS),
    gives("access was given without a cap, the port keeps that, and the grant was made longer", grants=(approve(validUntil=LATER),),
          runs_on="yes", gave=True, told_until=END, access=KEEPS),
    gives("access was given without end, and the port keeps that", until="", grants=(FOREVER,), runs_on="yes", gave=True,
          access={**KEEPS, "allowPermanent": True}),
    stalls("access was given without end, and the port allows none without", r.PERMANENT_NOT_ALLOWED, grants=(FOREVER,), runs_on="yes",
           gave=True, access={"maxDuration": "10d"}),
    gives("access was given without end, the port allows none without, and keeps that", until="", grants=(FOREVER,), runs_on="yes",
          gave=True, access=KEEPS),
    stalls("the port keeps what was given, and a grant with an end became one without", r.PERMANENT_NOT_ALLOWED, grants=(FOREVER,),
           runs_on="yes", gave=True, told_until=END, access=KEEPS),
    stalls("the port keeps what was given, allows none without end, and the grant without one is new", r.PERMANENT_NOT_ALLOWED,
           grants=(FOREVER,), access=KEEPS),
    stalls("the port keeps what was given, and its end has passed", r.EXPIRED, grants=(OLD,), runs_on="old", gave=True, access=KEEPS),
    gives("the port keeps what was given, and has no cap", grants=(approve(),), runs_on="yes", gave=True, access={"keepGiven": True}),
)  # fmt: skip
