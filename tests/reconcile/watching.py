"""What must hold at every moment, whatever fools the operator: no access beyond a grant, no data lost, no key ended that should live."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from clouddatamesh.model.objects import Key
from tests.reconcile.flows import ENDPOINT
from tests.support.driven import Driven
from tests.support.mesh import Mesh
from tests.support.truth import justified

GIVING: Final = ("put policy ", "create key ")


def versions_of(mesh: Mesh) -> dict[str, int]:
    return {name: held.versions for name, held in mesh.stores.at(ENDPOINT).buckets.items()}


def living_keys(mesh: Mesh) -> set[str]:
    """Keys that work and lie in a Secret, or were replaced and have their grace."""
    return {key.id for user in mesh.stores.at(ENDPOINT).users.values() if user.policy is not None for key in user.keys if key.active}


@dataclass
class Watch:
    """Looks at the world before each write and after each step. `kept` and `keys` are what the undisturbed flow leaves."""

    driven: Driven
    kept: Mapping[str, int]
    keys: frozenset[str]
    hidden: bool = False
    """Whether what others do may not be seen now."""
    other_store: bool = False
    """Whether it is not the mesh's store that answers."""
    soon: timedelta = timedelta(seconds=60)
    """How long rights may outlive their grant where nothing hides that it went."""
    since: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.driven.before_store_write.append(self.before_write)
        self.driven.after_step.append(self.after_step)

    def before_write(self, what: str) -> None:
        for verb in GIVING:
            if what.startswith(verb) and not self.hidden:
                mesh = self.driven.mesh
                assert what.removeprefix(verb) in justified(mesh.cluster, mesh.clock.now()), f"{what}: nobody granted that"

    def after_step(self, key: Key) -> None:
        if not self.other_store:
            self._check_data(key)
        if self.hidden:
            self.since.clear()
        else:
            self._check_rights(key)

    def _check_data(self, key: Key) -> None:
        found = versions_of(self.driven.mesh)
        lost = [name for name, versions in self.kept.items() if found.get(name, -1) < versions]
        assert not lost, f"{key} lost data of {lost}"
        gone = self.keys - living_keys(self.driven.mesh)
        assert not gone, f"{key} ended keys that should live: {sorted(gone)}"

    def _check_rights(self, key: Key) -> None:
        mesh = self.driven.mesh
        now = mesh.clock.now()
        given = {name for name, user in mesh.stores.at(ENDPOINT).users.items() if user.policy is not None}
        undue = given - justified(mesh.cluster, now)
        self.since = {name: self.since.get(name, now) for name in undue}
        late = [name for name, since in self.since.items() if now - since > self.soon]
        assert not late, f"after {key}: {late} have rights that nobody grants"
