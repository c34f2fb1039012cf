"""How manifests fit together: names that lead nowhere, terms that are not offered, and two that want the same thing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from clouddatamesh.api.fields import parse_duration
from clouddatamesh.checking.documents import Path
from clouddatamesh.checking.faults import written
from clouddatamesh.model.access import Decision, Home, Offer
from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.model.settings import Settings
from clouddatamesh.model.world import AccessWorld
from clouddatamesh.plan.access.facts import asked_product, consumer_key, major, read_grant, read_product, read_request
from clouddatamesh.plan.access.faults import find_fault, find_obstacle
from clouddatamesh.plan.access.terms import find_differences, port_of
from clouddatamesh.plan.domainprofile import find_misplaced
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.product import ports_of
from clouddatamesh.view.raw import entries, text, value, words

_UID: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Remark:
    """One thing about one object. An error holds for a new object whatever the cluster has; a warning depends on the cluster."""

    key: Key
    path: Path
    sentence: str
    is_error: bool = True

    @property
    def field(self) -> str:
        return written(self.path)


@dataclass(frozen=True)
class _Set:
    """The manifests by key; of two that are one object the first."""

    objects: Mapping[Key, Manifest]

    def all(self, kind: str) -> Iterator[tuple[Key, Manifest]]:
        return ((key, found) for key, found in self.objects.items() if key.kind == kind)

    def home_of(self, namespace: str) -> Home | None:
        """The Domain that names a namespace."""
        for key, domain in self.all("Domain"):
            if namespace in named_namespaces(domain):
                return Home(key.name, cordoned=value(domain, "spec", "cordoned") is True, labels=value(domain, "metadata", "labels") or {})
        return None


def check_together(manifests: Sequence[Manifest]) -> Iterator[Remark]:
    """Remarks on manifests that are right one by one, in the order of the manifests. What several lack is said once."""
    known: dict[Key, Manifest] = {}
    for manifest in manifests:
        key = key_of(manifest)
        if key in known:
            yield Remark(key, ("metadata", "name"), f"{key} is here twice; rename or remove one")
        known.setdefault(key, {**manifest, "metadata": {**manifest["metadata"], "uid": _UID}})
    together, said = _Set(known), set[str]()
    for key, manifest in known.items():
        for remark in _CHECKS.get(key.kind, _check_nothing)(key, manifest, together):
            if remark.is_error or remark.sentence not in said:
                yield remark
            said.add(remark.sentence)
    yield from _find_shared(together)


def _check_nothing(_key: Key, _store: Manifest, _together: _Set) -> Iterator[Remark]:
    return iter(())


def _check_domain(key: Key, domain: Manifest, together: _Set) -> Iterator[Remark]:
    yield from _find_missing(key, ("spec", "parentRef", "name"), Key("Domain", "", text(domain, "spec", "parentRef", "name")), together)
    seen, at = [key.name], text(domain, "spec", "parentRef", "name")
    while at and at not in seen:
        seen.append(at)
        at = text(together.objects.get(Key("Domain", "", at), {}), "spec", "parentRef", "name")
    if at == key.name and len(seen) > 1:
        yield Remark(
            key, ("spec", "parentRef", "name"), f"Domains are each other's parents: {' -> '.join([*seen, at])}; remove one parentRef"
        )


def _check_product(key: Key, product: Manifest, together: _Set) -> Iterator[Remark]:
    yield from _find_homeless(key, together)
    store_key = Key("ObjectStore", "", text(product, "spec", "storage", "storeRef", "name"))
    yield from _find_missing(key, ("spec", "storage", "storeRef", "name"), store_key, together)
    store = together.objects.get(store_key)
    if store and text(product, "spec", "storage", "deletionPolicy") == "Delete" and value(store, "spec", "deletionEnabled") is not True:
        why = f"{store_key} has deletionEnabled: false, so a deletion of this product waits; set it there, or use Retain"
        yield Remark(key, ("spec", "storage", "deletionPolicy"), why, is_error=False)
    for at, port in enumerate(entries(product, "spec", "inputPorts")):
        yield from _check_input(key, at, port, together)


def _check_input(key: Key, at: int, port: Manifest, together: _Set) -> Iterator[Remark]:
    source = Key("DataProduct", text(port, "from", "namespace"), text(port, "from", "dataProduct"))
    path: Path = ("spec", "inputPorts", at, "from")
    yield from _find_missing(key, (*path, "dataProduct"), source, together)
    upstream = together.objects.get(source)
    if upstream is None:
        return
    name, version = text(port, "from", "outputPort", "name"), text(port, "from", "outputPort", "version")
    offered = [(one.name, one.major) for one in read_product(upstream).ports]
    if (name, major(version)) not in offered:
        listed = ", ".join(f"{one.name} {one.version}" for one in read_product(upstream).ports) or "none"
        yield Remark(key, (*path, "outputPort"), f"{source} has no output port {name} of version {version}; its ports: {listed}")


def _check_profile(key: Key, profile: Manifest, together: _Set) -> Iterator[Remark]:
    """Whether it is its Domain's, and whether its trainings concern anybody."""
    yield from _find_homeless(key, together)
    home = together.home_of(key.namespace)
    domain = together.objects.get(Key("Domain", "", home.name), {}) if home else {}
    if home and (why := find_misplaced(key.name, key.namespace, home.name, named_namespaces(domain)[0])):
        yield Remark(key, ("metadata", "namespace" if key.namespace != named_namespaces(domain)[0] else "name"), why)
    listed = profile if value(profile, "spec", "team") else domain
    roles = {text(member, "role") for member in entries(listed, "spec", "team", "members")}
    for at, training in enumerate(entries(profile, "spec", "training")):
        for role in (role for role in words(training, "requiredFor") if listed and role not in roles):
            why = f"No member of the team has role {role}, so nobody needs this training; roles are compared as they are written"
            yield Remark(key, ("spec", "training", at, "requiredFor"), why, is_error=False)


def _check_request(key: Key, request: Manifest, together: _Set) -> Iterator[Remark]:
    yield from _find_homeless(key, together)
    consumer = consumer_key(request)
    if consumer.kind == "DataProduct":
        yield from _find_missing(key, ("spec", "consumer", "dataProductRef", "name"), consumer, together)
    product = together.objects.get(asked_product(request))
    if product is None:
        yield from _find_missing(key, ("spec", "dataProductRef", "name"), asked_product(request), together)
        return
    offer = replace(read_product(product), verified=True, storage_reason="")
    found = _decide(request, offer, together)
    if found is not None:
        path = _PLACES.get(found.reason, ("dataProductRef",))
        yield Remark(key, ("spec", *path), f"{found.message} ({found.reason})", is_error=found.reason in _MISTAKES)
        return
    yield from _check_terms(key, request, product, offer)


_PLACES: Final[Mapping[str, Path]] = {
    "PortNotFound": ("outputPort",), "ModeNotOffered": ("mode",), "NoNewGrants": ("outputPort",)
}  # fmt: skip
_MISTAKES: Final = ("PortNotFound", "ModeNotOffered")
"""What never gives access; the rest may have given it before, and a request that was granted stays in its folder."""


def _decide(request: Manifest, offer: Offer, together: _Set) -> Decision | None:
    """What the operator will say against it, whatever is granted; homes that are not in the files speak for themselves."""
    ask = read_request(request)
    elsewhere = Home("elsewhere")
    world = AccessWorld(
        datetime.now(UTC),
        Settings(mesh="check", namespace="check"),
        offer=offer,
        product_home=together.home_of(offer.key.namespace) or elsewhere,
        consumer_exists=True,
        consumer_home=together.home_of(ask.key.namespace) or elsewhere,
    )
    fault, port = find_fault(ask, world), port_of(ask, offer)
    return fault or (find_obstacle(ask, world, port, ()) if port else None)


def _check_terms(key: Key, request: Manifest, product: Manifest, offer: Offer) -> Iterator[Remark]:
    ask = read_request(request)
    port = port_of(ask, offer)
    if port is None:
        return
    limit, asked = port.max_duration, text(request, "spec", "duration")
    if ask.permanent and not port.allow_permanent:
        yield Remark(key, ("spec", "permanent"), f"Port {port.name} {port.version} gives no permanent access; set duration instead")
    if asked and limit and parse_duration(asked) > limit:
        longest = next((one.duration for one in ports_of(product) if (one.name, one.version) == (port.name, port.version)), "")
        why = f"Port {port.name} {port.version} gives at most {longest}, so access ends earlier than the {asked} asked for"
        yield Remark(key, ("spec", "duration"), why, is_error=False)


def _check_grant(key: Key, grant: Manifest, together: _Set) -> Iterator[Remark]:
    yield from _find_homeless(key, together)
    product = Key("DataProduct", key.namespace, text(grant, "spec", "dataProductRef", "name"))
    yield from _find_missing(key, ("spec", "dataProductRef", "name"), product, together)
    asked = Key("AccessRequest", text(grant, "spec", "requestRef", "namespace"), text(grant, "spec", "requestRef", "name"))
    yield from _find_missing(key, ("spec", "requestRef", "name"), asked, together)
    request = together.objects.get(asked)
    if request is not None:
        for found in find_differences(read_grant(grant), read_request(request)):
            why = f"The grant says {found.said}, and {asked} asks for {found.asked}; repeat what the request says"
            yield Remark(key, ("spec", *found.field.removeprefix("spec.").split(".")), why)


def _find_missing(key: Key, path: Path, named: Key, together: _Set) -> Iterator[Remark]:
    if named.name and named not in together.objects:
        yield Remark(key, path, f"{named} is not among the files; it must be in the cluster", is_error=False)


def _find_homeless(key: Key, together: _Set) -> Iterator[Remark]:
    if together.home_of(key.namespace) is None:
        why = f"No Domain among the files has namespace {key.namespace or 'default'}; one in the cluster must"
        yield Remark(key, ("metadata", "namespace"), why, is_error=False)


def _find_shared(together: _Set) -> Iterator[Remark]:
    """What can be only one object's: a namespace, a bucket, a Secret."""
    claims: dict[tuple[str, str], Key] = {}
    for key, manifest in together.objects.items():
        for what, path in _claims(key, manifest):
            first = claims.setdefault(what, key)
            if first != key:
                yield Remark(key, path, f"{what[0]} {what[1]} is named by {first} as well; choose another one")


def _claims(key: Key, manifest: Manifest) -> Iterator[tuple[tuple[str, str], Path]]:
    if key.kind == "Domain":
        yield from ((("Namespace", name), ("spec", "namespaces")) for name in named_namespaces(manifest))
    bucket = text(manifest, "spec", "storage", "bucketName")
    if bucket:
        yield (f"In store {text(manifest, 'spec', 'storage', 'storeRef', 'name')}, bucket", bucket), ("spec", "storage", "bucketName")
    for path in (("producer", "secretName"), ("secretName",)):
        if secret := text(manifest, "spec", *path):
            yield ("Secret", f"{key.namespace}/{secret}"), ("spec", *path)


_CHECKS: Final[Mapping[str, Callable[[Key, Manifest, _Set], Iterator[Remark]]]] = {
    "Domain": _check_domain,
    "DataProduct": _check_product,
    "AccessRequest": _check_request,
    "AccessGrant": _check_grant,
    "DomainProfile": _check_profile,
}
