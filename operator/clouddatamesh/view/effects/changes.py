"""What a change of manifests does, said before it is applied: what is made, changed, asked for, given and taken."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from clouddatamesh.model.objects import Manifest, key_of
from clouddatamesh.view.effects.access import of_grant, of_request
from clouddatamesh.view.effects.effect import Effect, Sign
from clouddatamesh.view.effects.platform import of_domain, of_store
from clouddatamesh.view.effects.product import of_product
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import text, value

_MOST: Final = 12
"""Changed fields that are listed of one object."""
_LONGEST: Final = 60
"""Characters of a value that are shown."""
_NOTHING: Final[Manifest] = {}


def find_effects(before: Manifest | None, after: Manifest | None, mesh: Mesh) -> Iterator[Effect]:
    """Of one object that is made (no `before`), changed or deleted (no `after`); none where nothing changes. `mesh` is as it will be."""
    old, new = before or _NOTHING, after or _NOTHING
    key = key_of(after or old)
    if before is not None and after is not None:
        labels = ("metadata", "labels")
        changed = [*_changes(old.get("spec"), new.get("spec"), ("spec",)), *_changes(value(old, *labels), value(new, *labels), labels)]
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


_KINDS: Final[Mapping[str, Callable[[Manifest, Manifest, Mesh], Iterator[Effect]]]] = {
    "ObjectStore": of_store,
    "Domain": of_domain,
    "DataProduct": of_product,
    "AccessRequest": of_request,
    "AccessGrant": of_grant,
}
