"""What owners and consumers do to approvals that follow one another, and what must be true afterwards. See test_revoking.py."""

import dataclasses as dc
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.access import Access, Manifest, condition_of
from tests.e2e.places import Place, in_seconds

SHORT, OLDER, NEWER, LONGER = (f"{year}-01-01T00:00:00Z" for year in (2090, 2097, 2098, 2099))
"""Ends of approvals. The newer one is in effect before anything is done, unless a case says otherwise."""
Step = Callable[[Place, Access], object]


@dataclass(frozen=True)
class Case:
    """One story. `on` is the grant that access rests on in the end, empty where there is none."""

    what: str
    steps: tuple[Step, ...]
    reason: str
    """Several by |."""
    on: str = ""
    until: str = ""
    key: str = ""
    """same, new or any, where there is access."""


def name_of(access: Access, which: str) -> str:
    return f"{which}-{access.deal.name}"


def grant(access: Access, which: str, **spec: Any) -> Manifest:
    """An approval of the request, or by `decision` a refusal; named by its part in the story."""
    metadata = {**access.deal.grant["metadata"], "name": name_of(access, which)}
    return {**access.deal.grant, "metadata": metadata, "spec": {**access.deal.grant["spec"], **spec}}


# Steps.


def delete(which: str) -> Step:
    return lambda place, access: place.delete("agrant", name_of(access, which))


def change(which: str, **spec: Any) -> Step:
    return lambda place, access: place.patch("agrant", name_of(access, which), spec)


def make(which: str, **spec: Any) -> Step:
    return lambda place, access: place.apply(grant(access, which, **spec))


def end(which: str) -> Step:
    return lambda place, access: place.patch("agrant", name_of(access, which), {"validUntil": in_seconds(-60)})


def both(*steps: Step) -> Step:
    """One commit."""
    return lambda place, access: [step(place, access) for step in steps]


def replace(which: str, **spec: Any) -> Step:
    """`kubectl replace --force`, which deletes, waits for the end, and makes it again."""

    def step(place: Place, access: Access) -> None:
        place.mesh.installed.cluster.kubectl(
            "replace", "--force", "--timeout=20s", "-f", "-", stdin=json.dumps(grant(access, which, **spec))
        )

    return step


def remake_request(place: Place, access: Access) -> None:
    """The consumer deletes the request, waits for its end, and applies it again."""
    place.kubectl("delete", "areq", access.deal.name, "-n", place.users, "--timeout=20s")
    place.apply(access.deal.request)


def delete_effective(place: Place, access: Access) -> None:
    """Whichever it is."""
    place.delete("agrant", access.request()["status"]["grantRef"]["name"])


DENY, APPROVE = {"decision": "Deny"}, {"decision": "Approve"}
CASES: Mapping[str, Case] = {
    "untouched": Case("nothing is done", (), "Granted", "newer", NEWER, "same"),
    "deleted": Case("the newer approval is deleted", (delete("newer"),), "Revoked"),
    "shortened": Case(
        "the newer one is made to end before the older", (change("newer", validUntil=SHORT),),
        "Granted", "newer", SHORT, "same"),
    "ended": Case("the newer one is made to end now", (end("newer"),), "Expired"),
    "denied": Case("the newer one becomes a refusal", (change("newer", **DENY),), "Denied"),
    "lifted": Case("… and an approval again", (change("newer", **DENY), change("newer", **APPROVE)), "Granted", "newer", NEWER, "new"),
    "denied-deleted": Case("… and is deleted", (change("newer", **DENY), delete("newer")), "Revoked"),
    "refused": Case("a refusal is added", (make("no", **DENY),), "Denied"),
    "refused-lifted": Case("… and taken back", (make("no", **DENY), delete("no")), "Granted", "newer", NEWER, "new"),
    "older-lengthened": Case("the older one is made to end last", (change("older", validUntil=LONGER),), "Granted", "newer", NEWER, "same"),
    "older-deleted": Case("the older one is deleted", (delete("older"),), "Granted", "newer", NEWER, "same"),
    "older-denied": Case("the older one becomes a refusal", (change("older", **DENY),), "Denied"),
    "older-lifted": Case(
        "… and an approval again", (change("older", **DENY), change("older", **APPROVE)), "Granted", "newer", NEWER, "new"
    ),
    "extended": Case("a still newer one ends later", (make("next", validUntil=LONGER),), "Granted", "next", LONGER, "same"),
    "extended-deleted": Case("… and is deleted", (make("next", validUntil=LONGER), delete("next")), "Revoked"),
    "born-expired": Case(
        "a still newer one has ended before", (make("next", validUntil=in_seconds(-60)),),
        "Granted", "newer", NEWER, "same"),
    "remade": Case("the consumer makes the request again", (remake_request,), "Granted", "newer", NEWER, "new"),
    "remade-after": Case("… after the newer approval was deleted", (delete("newer"), remake_request), "AwaitingGrant|Revoked"),
    "renamed": Case(
        "the newer one is renamed: applied, then deleted",
        (both(make("again", validUntil=NEWER), delete("newer")),), "Granted", "again", NEWER, "same",
    ),
    "renamed-shorter": Case(
        "… with an end before the older one's",
        (both(make("again", validUntil=SHORT), delete("newer")),), "Granted", "again", SHORT, "same",
    ),
    "renamed-after": Case(
        "the newer one is renamed: deleted, then applied",
        (both(delete("newer"), make("again", validUntil=SHORT)),), "Granted", "again", SHORT, "any",
    ),
    "replaced": Case("the newer one is replaced by force", (replace("newer", validUntil=SHORT),), "Granted", "newer", SHORT, "any"),
}  # fmt: skip
"""Of every one there is an older approval and, since a later second, a newer one that ends later."""

TWINS: Mapping[str, Case] = {
    "twins": Case("the one of two of one second that ends later is deleted", (delete("newer"),), "Revoked"),
    "equal-twins": Case("the one of two equal ones of one second that is in effect is deleted", (delete_effective,), "Revoked"),
}
"""Both approvals are made in one second."""

REBUILT: Mapping[str, Case] = {
    "rebuilt-lost": Case(
        "without status, after the newer approval was deleted: what Git holds gives", (), "Granted", "older", OLDER, "new"
    ),
    "rebuilt-kept": Case("with status, the newer approval deleted before: the older one stays superseded", (), "AwaitingGrant|Revoked"),
    "rebuilt-whole": Case("without status, both approvals in Git", (), "Granted", "newer", NEWER, "new"),
}
"""All objects vanish while the operator is away, and are made again from a backup."""


# What is true.


@dataclass(frozen=True)
class Seen:
    """What anybody can see of one access."""

    reason: str
    on: str
    until: str
    key: str
    contradictions: tuple[str, ...]
    """Where request, grants, Secret and store do not agree."""

    def is_as_told(self, case: Case) -> bool:
        key = self.key if case.key == "any" and self.key else case.key
        return self == Seen(self.reason, case.on, case.until, key, ()) and self.reason in case.reason.split("|")


def see(place: Place, access: Access) -> Seen:
    """One look at the request, its grants, its Secret and the store."""
    request, grants = access.request(), place.grants_of(access.deal.name)
    status = request.get("status", {})
    ready = condition_of(request)
    until = str(status.get("validUntil", ""))
    seen = Seen(str(ready.get("reason")), "", until if until > in_seconds(0) else "", "", ())
    if ready.get("status") != "True":
        return dc.replace(seen, contradictions=tuple(_contradictions_without(access, status, grants)))
    now = Access.of(place.mesh, access.deal)
    key = "same" if now.secret["access-key-id"] == access.secret["access-key-id"] else "new"
    on = str(status["grantRef"]["name"])
    found = tuple(_contradictions_with(now, status, grants))
    return dc.replace(seen, on=on.removesuffix(f"-{access.deal.name}"), key=key, contradictions=found)


def _contradictions_without(access: Access, status: Manifest, grants: list[Manifest]) -> Iterator[str]:
    yield from (f"grant {name} says that it is in effect" for name in in_effect(grants))
    yield from (f"{what} is left" for what in access.remains())
    if access.reads():
        yield "the key reads"
    if "grantRef" in status:
        yield "the request names a grant"


def _contradictions_with(access: Access, status: Manifest, grants: list[Manifest]) -> Iterator[str]:
    named = status["grantRef"]["name"]
    if in_effect(grants) != [named]:
        yield f"the request names {named}, in effect are {in_effect(grants)}"
    if named in superseded(grants):
        yield f"access rests on {named}, which is superseded"
    until = next((grant["status"].get("validUntil") for grant in grants if grant["metadata"]["name"] == named), None)
    if until != status.get("validUntil"):
        yield f"the grant says {until}, the request {status.get('validUntil')}"
    if not access.reads():
        yield "the key does not read"


def in_effect(grants: list[Manifest]) -> list[str]:
    return [str(grant["metadata"]["name"]) for grant in grants if condition_of(grant, "InEffect").get("status") == "True"]


def superseded(grants: list[Manifest]) -> list[str]:
    return [str(grant["metadata"]["name"]) for grant in grants if condition_of(grant, "Superseded").get("status") == "True"]
