"""The objects of the mesh that one reader may read, and what this reader may not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.raw import entries, text


@dataclass(frozen=True)
class Mesh:
    """What was read with the reader's own rights. Nothing is shown that is not in it."""

    objects: Mapping[Key, Manifest] = field(default_factory=dict)
    refused: frozenset[tuple[str, str]] = frozenset()
    """Kind and namespace (empty: the whole cluster) that the reader may not read."""
    absent: frozenset[Key] = frozenset()
    """Objects that were asked for and do not exist."""

    @classmethod
    def of(cls, manifests: Iterable[Manifest], *, refused: Iterable[tuple[str, str]] = (), absent: Iterable[Key] = ()) -> "Mesh":
        return cls({key_of(manifest): manifest for manifest in manifests}, frozenset(refused), frozenset(absent))

    def __or__(self, other: "Mesh") -> "Mesh":
        """Both; of an object that is in both, the other's."""
        return Mesh({**self.objects, **other.objects}, self.refused | other.refused, self.absent | other.absent)

    def all(self, kind: str, namespace: str = "") -> Iterator[Manifest]:
        """The objects of a kind by namespace and name; of one namespace if it is given."""
        return (self.objects[key] for key in self._keys.get(kind, ()) if namespace in ("", key.namespace))

    @cached_property
    def _keys(self) -> Mapping[str, Sequence[Key]]:
        """The keys of each kind, in order; pages ask for them once for each of their objects."""
        found: dict[str, list[Key]] = {}
        for key in sorted(self.objects):
            found.setdefault(key.kind, []).append(key)
        return found

    @cached_property
    def _homes(self) -> Mapping[str, Manifest]:
        """Each namespace's Domain, of several the first."""
        found: dict[str, Manifest] = {}
        for domain in self.all("Domain"):
            for entry in entries(domain, "status", "namespaces"):
                found.setdefault(text(entry, "name"), domain)
        return found

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        return self.objects.get(Key(kind, namespace, name))

    def domain_of(self, namespace: str) -> Manifest | None:
        """The Domain that a namespace belongs to by its status, which names what the operator accepted."""
        return self._homes.get(namespace)

    def may_list(self, kind: str, namespace: str) -> bool:
        """Whether an absence means that there is nothing, and not that the reader may not see it."""
        return (kind, namespace) not in self.refused and (kind, "") not in self.refused
