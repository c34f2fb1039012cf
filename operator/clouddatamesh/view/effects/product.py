"""Effects on a product: its bucket, its producer, its ports."""

from collections.abc import Iterator
from datetime import timedelta

from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan.access.facts import major, span
from clouddatamesh.view.effects.effect import Effect, Sign, becomes, identity
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.product import Port, ports_of
from clouddatamesh.view.raw import entries, text, value


def of_product(old: Manifest, new: Manifest, _mesh: Mesh) -> Iterator[Effect]:
    yield from _of_storage(old, new)
    had, has = text(old, "spec", "producer", "secretName"), text(new, "spec", "producer", "secretName")
    if has != had and has:
        yield Effect(Sign.GIVE, f"a key that writes the whole bucket, in Secret {has} of the product's namespace")
    if has != had and had:
        yield Effect(Sign.TAKE, f"the producer's key, and Secret {had}")
    yield from _of_lifecycle(old, new)
    before, after = ({identity(port): port for port in ports_of(one) if not port.draining} if one else {} for one in (old, new))
    for known in sorted({*before, *after}):
        yield from _of_port(before.get(known), after.get(known), is_new=not old)


def _of_storage(old: Manifest, new: Manifest) -> Iterator[Effect]:
    storage = value(new, "spec", "storage")
    if storage and not value(old, "spec", "storage") and text(new, "spec", "lifecycle") != "proposed":
        named = text(new, "spec", "storage", "bucketName")
        bucket = f"bucket {named}, or it is adopted by its adoptionPolicy," if named else "a bucket"
        yield Effect(Sign.MAKE, f"{bucket} in store {text(new, 'spec', 'storage', 'storeRef', 'name')}")
    if old and new:
        yield from _of_protections(old, new)
    if not new and (bucket := text(old, "status", "storage", "bucket")):
        deletes = text(old, "spec", "storage", "deletionPolicy") == "Delete"
        yield Effect(
            Sign.TAKE, f"bucket {bucket} is deleted by its deletionPolicy" if deletes else f"bucket {bucket} is released; data stays"
        )


def _of_protections(old: Manifest, new: Manifest) -> Iterator[Effect]:
    """What may end data or a way to it, at once or later."""
    before = [dict(rule) for rule in entries(old, "spec", "storage", "lifecycleRules")]
    for rule in entries(new, "spec", "storage", "lifecycleRules"):
        if rule not in before:
            spans = [f"{name} {rule[name]}" for name in ("expireAfter", "expireNoncurrentAfter", "abortUploadsAfter") if rule.get(name)]
            yield Effect(Sign.TAKE, f"what is under {text(rule, 'prefix') or 'any prefix'}: the store removes it by {', '.join(spans)}")
    if becomes(old, new, "Suspended", "spec", "storage", "versioning"):
        yield Effect(Sign.TAKE, "versions of what is written or deleted from now on")
    if becomes(old, new, "Delete", "spec", "storage", "deletionPolicy"):
        yield Effect(Sign.TAKE, "the protection of the bucket: it goes when the product is deleted")
    if becomes(old, new, "true", "spec", "storage", "forceDestroy"):
        yield Effect(Sign.TAKE, "the protection of its contents: a deletion may empty the bucket")
    former = _paths(old)
    for port, path in _paths(new).items():
        if path != former.get(port, path):
            yield Effect(Sign.TAKE, f"the path {former[port]} of port {'/'.join(port)}: its consumers get {path} in its place")


def _paths(product: Manifest) -> dict[tuple[str, str], str]:
    """Of each port, by name and major version."""
    ports = entries(product, "spec", "outputPorts")
    return {(text(port, "name"), major(text(port, "version"))): text(port, "path") for port in ports}


def _of_lifecycle(old: Manifest, new: Manifest) -> Iterator[Effect]:
    was, now = text(old, "spec", "lifecycle"), text(new, "spec", "lifecycle")
    users = sum(port.consumers for port in ports_of(old)) if old else 0
    if not new and users:
        yield Effect(Sign.TAKE, f"the deletion waits for the {_counted(users)}")
    if was and now == "retired" != was:
        yield Effect(Sign.TAKE, f"the access of all {_counted(users)}; the data stays")
    if was and now == "deprecated" != was:
        yield Effect(Sign.TAKE, f"new access; the {_counted(users)} keep theirs")
    if was in ("proposed", "draft", "deprecated") and now == "active":
        yield Effect(Sign.GIVE, "new access may be asked for and granted")
    paused = becomes(old, new, "true", "spec", "suspend") or (new and _is_managed(old) and not _is_managed(new))
    if old and paused:
        yield Effect(Sign.TAKE, f"new access and repairs while it is suspended or not managed; the {_counted(users)} keep theirs")


def _is_managed(product: Manifest) -> bool:
    return text(product, "spec", "mode") in ("", "Manage")


def _of_port(old: Port | None, new: Port | None, *, is_new: bool) -> Iterator[Effect]:
    if old is None and new is not None and not is_new:
        yield Effect(Sign.MAKE, f"output port {new.name}/{new.version}")
    if old is not None and new is None:
        yield Effect(Sign.TAKE, f"output port {old.name}/{old.version}; its {_counted(old.consumers)} keep access until theirs ends")
    if old is None or new is None:
        return
    yield from _given(old, new, f"port {new.name}/{new.version}")
    yield from _taken(old, new, f"port {new.name}/{new.version}")


def _given(old: Port, new: Port, port: str) -> Iterator[Effect]:
    if new.approval == "Auto" != old.approval:
        yield Effect(Sign.GIVE, f"every request for {port} is answered yes at once, also those that wait")
    if new.permanent and not old.permanent:
        yield Effect(Sign.GIVE, f"{port} may be had without an end")
    if more := sorted({*new.modes} - {*old.modes}):
        yield Effect(Sign.GIVE, f"{port} may be had in mode {', '.join(more)}")


def _taken(old: Port, new: Port, port: str) -> Iterator[Effect]:
    if new.deprecated and not old.deprecated:
        yield Effect(Sign.TAKE, f"new access to {port}; its {_counted(old.consumers)} keep theirs")
    if lost := sorted({*old.modes} - {*new.modes}):
        yield Effect(Sign.TAKE, f"access in mode {', '.join(lost)} to {port}, of those who have it as well")
    if old.permanent and not new.permanent:
        yield Effect(Sign.TAKE, f"permanent access to {port}, at once")
    if _span(new.duration) < _span(old.duration):
        yield Effect(Sign.TAKE, f"what the {_counted(old.consumers)} of {port} have beyond {new.duration} of their grants")


def _counted(consumers: int) -> str:
    return f"{consumers} consumer{'' if consumers == 1 else 's'}"


def _span(duration: str) -> timedelta:
    """A port without a limit gives as long as anybody asks for."""
    return span(duration) or timedelta.max
