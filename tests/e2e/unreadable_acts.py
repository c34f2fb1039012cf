"""Manifests that the API server takes and the operator cannot read, each put in the way of access that runs; see test_unreadable.py.

A later version's manifests are made by a schema that allows more, as after a rollback.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.e2e.access import Access, Deal, Manifest
from tests.e2e.actors import Actors
from tests.e2e.cases import without
from tests.e2e.places import SET_UP, Place, in_seconds
from tests.support.manifests import a_domain, a_grant, a_product, a_request, a_store

NBSP = "kim@example.com\u00a0"
WORDY = "word " * 300
"""A no-break space passes the API server's pattern of an address, so it is to be read or named. So many words pass a later schema alone."""
DOMAINS = ("odd-makers", "odd-users", "odd-tower", "odd-guests", "odd-hall")
LATER_DOMAINS, SPACED_DOMAIN = DOMAINS[2:4], DOMAINS[4]
FILLERS = 60
"""Readable objects of each kind, so that less than a tenth cannot be read."""
LATER: Mapping[str, Mapping[str, Any]] = {
    "accessgrants": {"decision/enum": ["Approve", "Deny", "Refuse"], "note/maxLength": 4096},
    "accessrequests": {"renewal/properties/reason/maxLength": 4096},
    "dataproducts": {
        "lifecycle/enum": ["proposed", "draft", "active", "deprecated", "retired", "sunset"],
        "mode/enum": ["Manage", "Observe", "Plan", "Freeze"],
        "outputPorts/items/properties/access/properties/modes/items/enum": ["ReadOnly", "ReadWrite", "WriteOnly", "Append"],
    },
    "domains": {"type/enum": ["sourceAligned", "aggregate", "consumerAligned", "federated"]},
    "objectstores": {"baseline/properties/encryption/enum": ["Required", "IfSupported", "Off", "Wanted"]},
}
"""What a later version's schema allows besides, by the path below spec."""
SCHEMA = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"


@dataclass(frozen=True)
class Odd:
    """Pairs of domains by what becomes unreadable in them. All but `guests` ask from the same namespace."""

    main: Place
    tower: Place
    guests: Place
    hall: Place

    @property
    def mesh(self) -> Actors:
        return self.main.mesh

    def place(self, name: str) -> Place:
        return {"tower": self.tower, "guests": self.guests, "hall": self.hall}.get(name, self.main)


@contextmanager
def later_schema(mesh: Actors) -> Iterator[None]:
    """The CRDs as a later version has them, for as long as this lasts. Rules between old and new are another version's too."""
    kept = {plural: mesh.installed.get("crd", f"{plural}.clouddatamesh.dev")["spec"] for plural in LATER}
    try:
        for plural, allowed in LATER.items():
            patch = [{"op": "replace", "path": f"{SCHEMA}/properties/{path}", "value": value} for path, value in allowed.items()]
            change_crd(mesh, plural, *patch, {"op": "replace", "path": f"{SCHEMA}/x-kubernetes-validations", "value": []})
        yield
    finally:
        for plural, spec in kept.items():
            change_crd(mesh, plural, {"op": "replace", "path": "/spec", "value": spec})


def change_crd(mesh: Actors, plural: str, *steps: Mapping[str, Any]) -> None:
    mesh.installed.cluster.kubectl("patch", "crd", f"{plural}.clouddatamesh.dev", "--type=json", "-p", json.dumps(steps))


# Before.


def open_places(mesh: Actors) -> Odd:
    fillers = [f"odd-filler-{number:02}" for number in range(20)]
    mesh.installed.apply(*(a_domain(name) for name in (*DOMAINS, *fillers)))
    mesh.installed.wait_all("domain", DOMAINS, seconds=SET_UP)
    makers, users, tower, guests, hall = DOMAINS
    odd = Odd(Place(mesh, makers, users), Place(mesh, tower, users), Place(mesh, makers, guests), Place(mesh, hall, users))
    mesh.installed.apply(a_store("odd", endpointUrl=mesh.store.endpoint, region=mesh.store.region, bucketPrefix="odd"), *fill())
    mesh.installed.wait("objectstore", "odd", seconds=SET_UP)
    odd.main.offer({**{name: {} for name in ("plain", "nbsp", "sunset", "freeze", "append", "shut")}, **dict.fromkeys(LEAVING, CAPPED)})
    odd.main.offer({"stored": {}}, storage={"storeRef": {"name": "odd"}})
    odd.tower.offer({"inside": {}})
    odd.hall.offer({"inside": {}})
    return odd


def fill() -> Iterator[Manifest]:
    """Objects of which nothing follows."""
    for number in range(FILLERS):
        name = f"filler-{number:02}"
        ported = a_product(name, "odd-makers", lifecycle="proposed")
        yield without(without(ported, "spec", "storage"), "spec", "producer")
        yield a_request(name, "odd-users", dataProductRef={"namespace": "odd-makers", "name": "nothing"})
        yield a_grant(name, "odd-makers", decision="Deny", requestRef={"namespace": "odd-users", "name": f"no-{name}"})


CAPPED = {"maxDuration": "30d"}
LEAVING = ("leaving", "leaving-unguarded")
SOURCES = {
    **{name: name for name in ("nbsp", "sunset", "freeze", "append", "stored")},
    **{"tower": "inside", "guests": "plain", "hall": "inside"},
}
"""What becomes unreadable, and the product that is asked for there."""
FATES = ("kept", "ungranted", "refused", "ended")
REQUESTS = ("wordy-kept", "wordy-ungranted", "wordy-withdrawn")
GRANTS = ("note-kept", "note-ungranted", "note-ended", "unknown-decision", "wordy-deny", "held-grant", "held-request", "mass")


def give_all(odd: Odd) -> dict[str, Access]:
    given: dict[str, Access] = {}
    for source, product in SOURCES.items():
        place = odd.place(source)
        given |= place.give(*(place.deal(f"{source}-{fate}", product) for fate in FATES))
    main = odd.main
    given |= main.give(*(main.deal(name, "plain") for name in (*REQUESTS, *GRANTS)))
    return given | main.give(main.deal("shut", "shut"), *(main.deal(name, name) for name in LEAVING))


# What becomes unreadable.


def spoil(odd: Odd) -> None:
    """Everything at one moment: after this none of these objects can be read."""
    main, mesh = odd.main, odd.mesh
    port = {"name": "daily", "version": "1.0.0", "path": "daily/"}
    changes: Mapping[str, Mapping[str, Any]] = {
        "nbsp": {"owner": {"name": "Kim Roe", "email": NBSP}},
        "sunset": {"lifecycle": "sunset"},
        "freeze": {"mode": "Freeze"},
        "append": {"outputPorts": [{**port, "access": {"modes": ["ReadOnly", "Append"]}}]},
    }
    refused = [main.patch("dp", name, change) for name, change in changes.items()]
    refused += [main.patch("dom", name, {"type": "federated"}) for name in LATER_DOMAINS]
    refused += [main.patch("dom", SPACED_DOMAIN, {"stakeholders": [{"name": "Kim Roe", "role": "sponsor", "email": NBSP}]})]
    refused += [main.patch("ostore", "odd", {"baseline": {"encryption": "Wanted"}})]
    renewal = {"renewal": {"reason": WORDY, "requestedAt": in_seconds(0)}}
    refused += [main.patch("areq", name, renewal, namespace=main.users) for name in REQUESTS]
    refused += [main.patch("agrant", f"for-{name}", {"note": WORDY}) for name in ("note-kept", "note-ungranted", "note-ended")]
    assert not any(refused), refused
    for name in ("sunset", "freeze", "append"):
        mesh.installed.until(partial(is_not_ready, odd, name), what=f"a word on {name}")


def is_not_ready(odd: Odd, product: str) -> bool:
    return odd.mesh.condition(product, odd.main.makers).get("status") != "True"


def repair(odd: Odd) -> None:
    """What was spoilt by a word of a later version is as it was."""
    assert not odd.main.patch("dp", "sunset", {"lifecycle": "active"})
    for name in LATER_DOMAINS:
        assert not odd.main.patch("dom", name, {"type": None})


# What is taken meanwhile, and asked for.


def late(odd: Odd) -> list[Deal]:
    """Requests and approvals that come while something is unreadable, or are unreadable themselves."""
    deals = [odd.place(source).deal(f"{source}-late", product) for source, product in SOURCES.items()]
    return [*deals, odd.main.deal("note-late", "plain", note=WORDY)]


def named(grant: Manifest, name: str, **spec: Any) -> Manifest:
    """A grant like another one."""
    return {**grant, "metadata": {**grant["metadata"], "name": name}, "spec": {**grant["spec"], **spec}}


def take(odd: Odd, given: dict[str, Access]) -> None:
    """Grants are deleted, refused and ended, requests withdrawn, and refusals made that cannot be read."""
    main = odd.main
    for source in SOURCES:
        place = odd.place(source)
        place.delete("agrant", f"for-{source}-ungranted")
        place.apply(named(given[f"{source}-refused"].deal.grant, f"no-{source}", decision="Deny"))
        assert not place.patch("agrant", f"for-{source}-ended", {"validUntil": in_seconds(3)})
    main.delete("agrant", "for-wordy-ungranted", "for-note-ungranted")
    main.delete("areq", "wordy-withdrawn", namespace=main.users)
    assert not main.patch("agrant", "for-unknown-decision", {"decision": "Refuse"})
    main.apply(named(given["wordy-deny"].deal.grant, "wordy-deny", decision="Deny", note=WORDY))
    whole = {"decision": "Deny", "dataProductRef": {"name": "shut"}, "consumerNamespace": main.users, "note": WORDY}
    main.apply({**given["shut"].deal.grant, "metadata": {"name": "wordy-no-users", "namespace": main.makers}, "spec": whole})
    main.apply(*(manifest for deal in late(odd) for manifest in (deal.request, deal.grant)))


# What is being deleted.

HOLD = '{"metadata":{"finalizers":["clouddatamesh.dev/finalizer","example.com/hold"]}}'
MORE: dict[str, Any] = {
    "outputPorts": [
        {
            "name": "daily",
            "version": "1.0.0",
            "path": "daily/",
            "access": {"maxDuration": "40000d", "approval": "Auto", "modes": ["ReadOnly", "ReadWrite"], "allowPermanent": True},
        }
    ],
    "storage": {"deletionPolicy": "Delete", "forceDestroy": True},
}


def hold_and_delete(odd: Odd) -> None:
    """A grant and a request that are being deleted and cannot go; whoever changes them then gives nothing."""
    main = odd.main
    for kind, name, namespace in (("agrant", "for-held-grant", main.makers), ("areq", "held-request", main.users)):
        main.kubectl("patch", kind, name, "-n", namespace, "--type=merge", "-p", HOLD)
        main.delete(kind, name, namespace=namespace)
    main.patch("agrant", "for-held-grant", {"validUntil": "2098-01-01T00:00:00Z", "note": "after all"})
    main.patch("areq", "held-request", {"renewal": {"requestedAt": in_seconds(0)}}, namespace=main.users)


def edit_what_leaves(odd: Odd) -> None:
    """Products that wait for their consumers are changed: by somebody with the role `edit`, and by an admin where no policy is in force."""
    main = odd.main
    main.kubectl("create", "rolebinding", "editors", "-n", main.makers, "--clusterrole=edit", "--user=editor")
    main.delete("dp", *LEAVING)
    for name in LEAVING:
        main.mesh.ends(name, main.makers, reason="InUse", type_="DeletionBlocked")
    main.patch("dp", "leaving", MORE, "--as=editor")
    with unguarded(main):
        main.mesh.installed.until(lambda: not main.patch("dp", "leaving-unguarded", MORE), what="no policy is in force")
    deals = [main.deal(f"{name}-late", name, mode="ReadWrite") for name in LEAVING]
    main.apply(*(deal.request for deal in deals))


@contextmanager
def unguarded(place: Place) -> Iterator[None]:
    """No admission policy of the chart is in force."""
    kind = "validatingadmissionpolicybinding"
    found = json.loads(place.kubectl("get", kind, "-o", "json"))["items"]
    ours = [binding for binding in found if binding["metadata"]["name"].startswith("clouddatamesh-")]
    kept = ("name", "labels", "annotations")
    try:
        place.kubectl("delete", kind, *(binding["metadata"]["name"] for binding in ours))
        yield
    finally:
        place.apply(*({**b, "metadata": {field: b["metadata"][field] for field in kept if field in b["metadata"]}} for b in ours))
