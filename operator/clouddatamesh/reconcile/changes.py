"""One object before and after: what of it is news, and to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.model.objects import Manifest
from clouddatamesh.plan import marks

_WRITTEN: Final = ("uid", "generation", "deletionTimestamp", "annotations", "labels")
"""Of metadata what people, tools and the control plane write, and somebody here reads."""


@dataclass(frozen=True)
class Change:
    """One object before and after; None where there was or is none."""

    old: Manifest | None
    new: Manifest | None

    @property
    def manifest(self) -> Manifest:
        found = self.new or self.old
        assert found is not None  # noqa: S101 - a change has a before or an after
        return found

    @property
    def is_born_or_gone(self) -> bool:
        return self.old is None or self.new is None

    @property
    def is_news(self) -> bool:
        """Whether anything changed that a user writes. Our own writes are none; a status that lost all its conditions is not ours."""
        if self.old is None or self.new is None or (_was_judged(self.old) and not _was_judged(self.new)):
            return True
        let_go = _is_held(self.old) and not _is_held(self.new)
        return let_go or self.is_rewritten or self._differs("annotations", "labels")

    @property
    def is_rewritten(self) -> bool:
        """Whether it is another object, goes, or says something else; labels and annotations aside, which tools write all the time.

        A spec is compared too: in a cluster that was restored two specs may have one generation.
        """
        if self.old is None or self.new is None or self._differs("uid", "generation", "deletionTimestamp"):
            return True
        return bool(self.old.get("spec") != self.new.get("spec"))

    @property
    def is_news_of_child(self) -> bool:
        """Whether a child is another than it was. How much a quota counted is no news; what it counts is, since a Domain waits for that."""
        if self.old is None or self.new is None or self._differs(*_WRITTEN):
            return True
        return _body(self.old) != _body(self.new) or _counted(self.old) != _counted(self.new)

    @property
    def changes_namespace(self) -> bool:
        """Whether a namespace is another one, goes, or belongs to another Domain. Some tools write annotations all the time."""
        return self.is_born_or_gone or self._differs("uid", "deletionTimestamp", "labels")

    def _differs(self, *parts: str) -> bool:
        before, after = ((one or {}).get("metadata") or {} for one in (self.old, self.new))
        return any(before.get(part) != after.get(part) for part in parts)


def _is_held(manifest: Manifest) -> bool:
    return marks.FINALIZER in (manifest["metadata"].get("finalizers") or ())


def _was_judged(manifest: Manifest) -> bool:
    status = manifest.get("status") or {}
    return bool(status.get("conditions")) and status.get("observedGeneration", -1) >= 0


def _body(child: Manifest) -> Mapping[str, Any]:
    """Children like bindings have no generation, and no spec."""
    return {part: value for part, value in child.items() if part not in ("metadata", "status")}


def _counted(child: Manifest) -> frozenset[str]:
    return frozenset((child.get("status") or {}).get("used") or ())
