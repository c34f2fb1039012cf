"""What a change of manifests does, said before it is applied: what is made, changed, asked for, given and taken."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.plan.access.consumers import is_in_effect
from clouddatamesh.plan.access.facts import asked_product, moment
from clouddatamesh.plan.references import named_namespaces
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.product import Port, ports_of
from clouddatamesh.view.raw import entries, text, value

_MOST: Final = 12
"""Changed fields that are listed of one object."""
_LONGEST: Final = 60
"""Characters of a value that are shown."""
_ROLES: Final = ("owners", "engineers", "viewers")
_NOTHING: Final[Manifest] = {}


class Sign(StrEnum):
    """The direction of an effect."""

    MAKE = "make"
    CHANGE = "change"
    ASK = "ask"
    GIVE = "give"
    TAKE = "take"


@dataclass(frozen=True)
class Effect:
    """One thing that happens."""

    sign: Sign
    sentence: str


def find_effects(before: Manifest | None, after: Manifest | None, mesh: Mesh) -> Iterator[Effect]:
    """Of one object that is made (no `before`), changed or deleted (no `after`); none where nothing changes. `mesh` is as it will be."""
    old, new = before or _NOTHING, after or _NOTHING
    key = key_of(after or old)
    if before is not None and after is not None:
        changed = list(_changes(old.get("spec"), new.get("spec"), ("spec",)))
        if not changed:
            return
        yield from (Effect(Sign.CHANGE, said) for said in changed[:_MOST])
        if len(changed) > _MOST:
            yield Effect(Sign.CHANGE, f"and {len(changed) - _MOST} fields more")
    yield from _KINDS.get(key.kind, _nothing)(old, new, mesh)


def _nothing(_old: Manifest, _new: Manifest, _mesh: Mesh) -> Iterator[Effect]:
    return iter(())


def _changes(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Fields that differ, deepest first named; a list is compared by the names of its entries where they have some."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _changes(old.get(name), new.get(name), (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and (pairs := _by_name(old, new)):
        for name, (one, other) in pairs.items():
            yield from _changes(one, other, (*path[:-1], f"{path[-1]}[{name}]"))
    elif old != new:
        yield f"{'.'.join(path)}: {_shown(old)} -> {_shown(new)}"


def _by_name(old: list[Any], new: list[Any]) -> dict[str, tuple[Any, Any]]:
    """Entries by name, and version if they have one; empty where some have none or two have the same."""
    found: list[dict[str, Any]] = []
    for listed in (old, new):
        named = {"/".join(part for part in (text(one, "name"), text(one, "version")) if part): one for one in listed if _is_named(one)}
        if len(named) != len(listed):
            return {}
        found.append(named)
    return {name: (found[0].get(name), found[1].get(name)) for name in {**found[0], **found[1]}}


def _is_named(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)


def _shown(found: Any) -> str:
    if found is None:
        return "(none)"
    said = str(found).lower() if isinstance(found, bool) else str(found)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _of_store(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    if not old:
        yield Effect(Sign.MAKE, f"a bucket and a user that mark the mesh in {text(new, 'spec', 'endpointUrl') or 'AWS'}")
    if not new:
        name = old["metadata"]["name"]
        users = sum(text(product, "spec", "storage", "storeRef", "name") == name for product in mesh.all("DataProduct"))
        yield Effect(Sign.TAKE, f"the marks of the mesh in the store, after the {users} products that use it are gone; their data stays")


def _of_domain(old: Manifest, new: Manifest, _mesh: Mesh) -> Iterator[Effect]:
    had, has = (set(named_namespaces(one)) if one else set() for one in (old, new))
    for name in sorted(has - had):
        yield Effect(Sign.MAKE, f"namespace {name}, or it is adopted where it consents, with roles and limits")
    for name in sorted(had - has):
        yield Effect(Sign.TAKE, f"namespace {name} leaves the domain: the team's roles and limits there go, objects and data stay")
    where = ", ".join(sorted(has or had))
    before, after = ({*_subjects(one)} for one in (old, new))
    yield from (Effect(Sign.GIVE, f"{who} is {role} in {where}") for role, who in sorted(after - before))
    yield from (Effect(Sign.TAKE, f"{who} is no longer {role} in {where}") for role, who in sorted(before - after))
    if value(new, "spec", "cordoned") is True and value(old, "spec", "cordoned") is not True:
        yield Effect(Sign.TAKE, "no new products and no new access; what there is goes on")


def _subjects(domain: Manifest) -> Iterator[tuple[str, str]]:
    """Role and who has it."""
    for role in _ROLES:
        yield from ((role.removesuffix("s"), _who(subject)) for subject in entries(domain, "spec", "access", role))
    for more in entries(domain, "spec", "access", "additionalRoles"):
        yield from ((text(more, "role"), _who(subject)) for subject in entries(more, "subjects"))


def _who(subject: Manifest) -> str:
    place = text(subject, "namespace")
    return f"{text(subject, 'kind')} {f'{place}/' if place else ''}{text(subject, 'name')}"


def _of_product(old: Manifest, new: Manifest, _mesh: Mesh) -> Iterator[Effect]:
    yield from _of_storage(old, new)
    had, has = text(old, "spec", "producer", "secretName"), text(new, "spec", "producer", "secretName")
    if has != had and has:
        yield Effect(Sign.GIVE, f"a key that writes the whole bucket, in Secret {has} of the product's namespace")
    if has != had and had:
        yield Effect(Sign.TAKE, f"the producer's key, and Secret {had}")
    yield from _of_lifecycle(old, new)
    before, after = ({_identity(port): port for port in ports_of(one) if not port.draining} if one else {} for one in (old, new))
    for identity in sorted({*before, *after}):
        yield from _of_port(before.get(identity), after.get(identity), is_new=not old)


def _identity(port: Port) -> tuple[str, str]:
    """A port is known by its name and major version."""
    return port.name, port.version.split(".", maxsplit=1)[0]


def _of_storage(old: Manifest, new: Manifest) -> Iterator[Effect]:
    storage = value(new, "spec", "storage")
    if storage and not value(old, "spec", "storage") and text(new, "spec", "lifecycle") != "proposed":
        named = text(new, "spec", "storage", "bucketName")
        bucket = f"bucket {named}, or it is adopted by its adoptionPolicy," if named else "a bucket"
        yield Effect(Sign.MAKE, f"{bucket} in store {text(new, 'spec', 'storage', 'storeRef', 'name')}")
    if not new and (bucket := text(old, "status", "storage", "bucket")):
        deletes = text(old, "spec", "storage", "deletionPolicy") == "Delete"
        yield Effect(
            Sign.TAKE, f"bucket {bucket} is deleted by its deletionPolicy" if deletes else f"bucket {bucket} is released; data stays"
        )


def _of_lifecycle(old: Manifest, new: Manifest) -> Iterator[Effect]:
    was, now = text(old, "spec", "lifecycle"), text(new, "spec", "lifecycle")
    users = sum(port.consumers for port in ports_of(old)) if old else 0
    if not new and users:
        yield Effect(Sign.TAKE, f"the deletion waits for the {users} consumers")
    if was and now == "retired" != was:
        yield Effect(Sign.TAKE, f"the access of all {users} consumers; the data stays")
    if was and now == "deprecated" != was:
        yield Effect(Sign.TAKE, f"new access; the {users} consumers keep theirs")


def _of_port(old: Port | None, new: Port | None, *, is_new: bool) -> Iterator[Effect]:
    if old is None and new is not None and not is_new:
        yield Effect(Sign.MAKE, f"output port {new.name}/{new.version}")
    if old is not None and new is None:
        yield Effect(Sign.TAKE, f"output port {old.name}/{old.version}; its {old.consumers} consumers keep access until theirs ends")
    if old is None or new is None:
        return
    if new.deprecated and not old.deprecated:
        yield Effect(Sign.TAKE, f"new access to port {new.name}/{new.version}; its {old.consumers} consumers keep theirs")
    lost = sorted({*old.modes} - {*new.modes})
    if lost:
        yield Effect(Sign.TAKE, f"access in mode {', '.join(lost)} to port {new.name}/{new.version}, of those who have it as well")
    if new.duration and new.duration != old.duration and old.consumers:
        yield Effect(
            Sign.TAKE, f"if {new.duration} is shorter, what the {old.consumers} consumers of port {new.name}/{new.version} have beyond it"
        )


def _of_request(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    if not new:
        secret = text(old, "spec", "secretName")
        yield Effect(Sign.TAKE, f"the access of {_consumer(old)}, and Secret {secret}" if is_in_effect(old) else "the request")
        return
    if old:
        if value(old, "spec", "renewal") != value(new, "spec", "renewal"):
            yield Effect(Sign.ASK, "for more time; access goes on under the present grant")
        return
    target = asked_product(new)
    port = _port_of(new, mesh.get("DataProduct", target.namespace, target.name))
    span = text(new, "spec", "duration") or "without an end"
    what = f"{text(new, 'spec', 'mode') or 'ReadOnly'} on {target.namespace}/{target.name} {text(new, 'spec', 'outputPort', 'name')}"
    if port is not None and port.approval == "Auto":
        yield Effect(Sign.GIVE, f"{_consumer(new)} gets {what} at once, {span}, with a key in Secret {text(new, 'spec', 'secretName')}")
    else:
        yield Effect(Sign.ASK, f"{_consumer(new)} asks the owners of {target.namespace} for {what}, {span}")


def _port_of(request: Manifest, product: Manifest | None) -> Port | None:
    asked = text(request, "spec", "outputPort", "name"), text(request, "spec", "outputPort", "version").split(".", maxsplit=1)[0]
    return next((port for port in ports_of(product) if _identity(port) == asked), None) if product else None


def _consumer(manifest: Manifest) -> str:
    """Of a request or a grant."""
    product, account = (text(manifest, "spec", "consumer", ref, "name") for ref in ("dataProductRef", "serviceAccountRef"))
    place = text(manifest, "spec", "requestRef", "namespace") or manifest["metadata"].get("namespace", "")
    return f"product {place}/{product}" if product else f"ServiceAccount {place}/{account}"


def _of_grant(old: Manifest, new: Manifest, mesh: Mesh) -> Iterator[Effect]:
    grant = new or old
    asked = Key("AccessRequest", text(grant, "spec", "requestRef", "namespace"), text(grant, "spec", "requestRef", "name"))
    whole = text(grant, "spec", "consumerNamespace")
    whose = f"everybody in {whole}" if whole else _consumer(grant)
    what = f"{text(grant, 'spec', 'dataProductRef', 'name')} {text(grant, 'spec', 'outputPort', 'name')}".strip()
    was, now = (text(one, "spec", "decision") if one else "" for one in (old, new))
    if now == "Approve" and was != "Approve":
        yield Effect(Sign.GIVE, f"{whose} gets {text(grant, 'spec', 'mode')} on {what} until {_end(new) or 'it is revoked'}")
    elif now and now != was:
        request = mesh.get("AccessRequest", asked.namespace, asked.name)
        ends = "the access of" if whole or request is None or is_in_effect(request) else "the prospect of access of"
        yield Effect(Sign.TAKE, f"{ends} {whose} to {what}")
    elif now == was == "Approve" and _end(old) != _end(new):
        yield Effect(
            _direction(old, new), f"{whose} has access to {what} until {_end(new) or 'it is revoked'}, not {_end(old) or 'without end'}"
        )
    elif not new and was == "Approve":
        yield Effect(Sign.TAKE, f"the access of {whose} to {what}, unless another approval gives it")


def _end(grant: Manifest) -> str:
    return "" if value(grant, "spec", "permanent") is True else text(grant, "spec", "validUntil")


def _direction(old: Manifest, new: Manifest) -> Sign:
    before, after = moment(_end(old) or None), moment(_end(new) or None)
    longer = after is None or (before is not None and after > before)
    return Sign.GIVE if longer else Sign.TAKE


_KINDS: Final[Mapping[str, Callable[[Manifest, Manifest, Mesh], Iterator[Effect]]]] = {
    "ObjectStore": _of_store,
    "Domain": _of_domain,
    "DataProduct": _of_product,
    "AccessRequest": _of_request,
    "AccessGrant": _of_grant,
}
