"""How a user names an object: `orders`, `sales/orders`, `domain/sales`, `areq/inventory/orders`."""

from typing import Final

from clouddatamesh.api.names import NAME_BY_KIND, NAMES
from clouddatamesh.cli.errors import Failed
from clouddatamesh.cli.session import Session
from clouddatamesh.model.objects import Key

_KINDS: Final = {word: kind.kind for kind in NAMES for word in (kind.singular, kind.plural, *kind.short_names)}
_WRITTEN: Final = {kind.kind: kind.short_names[0] for kind in NAMES}


def parse(session: Session, given: str, kind: str = "DataProduct") -> Key:
    """The object that a user means. `kind` is meant where none is named. Raises Failed for what names none."""
    first, _, rest = given.partition("/")
    named = _KINDS.get(first.lower()) if rest else None
    kind, name = (named, rest) if named else (kind, given)
    namespaced = NAME_BY_KIND[kind].scope == "Namespaced"
    place, slash, last = name.partition("/")
    if not name or not all(name.split("/")) or last.count("/") or (slash and not namespaced):
        form = "NAME or NAMESPACE/NAME" if namespaced else "NAME"
        raise Failed(f"{given!r} names no {kind}; write {form}, or KIND/{form.replace(' or ', ' or KIND/')}", code=2)
    if not namespaced:
        return Key(kind, "", name)
    return Key(kind, place, last) if slash else Key(kind, session.home, name)


def written(key: Key) -> str:
    """As `parse` reads it, with its kind."""
    return "/".join(part for part in (_WRITTEN.get(key.kind, key.kind), key.namespace, key.name) if part)


def short(key: Key) -> str:
    """Without its kind."""
    return f"{key.namespace}/{key.name}" if key.namespace else key.name
