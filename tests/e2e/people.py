"""People in a domain with all three roles, and what the API server answers them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hack.tools.children import ToolError
from tests.e2e.actors import Actors
from tests.support.installation import Installation
from tests.support.manifests import a_domain

HOME = "guild"


@dataclass(frozen=True)
class Person:
    """A user with groups."""

    user: str
    groups: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags by which kubectl speaks as this person."""
        return (f"--as={self.user}", *(f"--as-group={group}" for group in (*self.groups, "system:authenticated")))


OWNER, ENGINEER, VIEWER = (Person(name, (f"{HOME}-{name}s",)) for name in ("owner", "engineer", "viewer"))
DOMAIN = a_domain(
    HOME,
    access={
        **{f"{person.user}s": [{"kind": "Group", "name": group}] for person in (OWNER, ENGINEER, VIEWER) for group in person.groups},
        "additionalRoles": [{"role": "clouddatamesh-workloads"}],
    },
)


@dataclass(frozen=True)
class Guild:
    """The domain `guild`, as its people see it."""

    installed: Installation

    def kubectl(self, person: Person, *args: str, manifest: Mapping[str, Any] | None = None) -> str:
        """What kubectl puts out; raises ToolError with what the API server said."""
        return self.installed.cluster.kubectl(*args, *person.flags, stdin=json.dumps(manifest) if manifest else None)

    def says(self, person: Person, *args: str, manifest: Mapping[str, Any] | None = None) -> str:
        """What the API server says against it; empty where it is done."""
        try:
            self.kubectl(person, *args, manifest=manifest)
        except ToolError as error:
            return str(error)
        return ""

    def patch(self, person: Person, product: str, patch: Mapping[str, Any], *flags: str) -> str:
        """What the API server says against a change of a product."""
        return self.says(person, "patch", "dataproduct", product, "-n", HOME, "--type=merge", "-p", json.dumps(patch), *flags)


def may(mesh: Actors | Guild, person: Person, verb: str, what: str, namespace: str = "") -> bool:
    """Whether RBAC lets somebody do it to a resource or a part of it; without a namespace in all. It hears of a binding a moment late."""
    resource, _, part = what.partition("/")
    asked = (verb, resource, *((f"--subresource={part}",) if part else ()), *(("-n", namespace) if namespace else ("-A",)))
    try:
        return mesh.installed.cluster.kubectl("auth", "can-i", *asked, *person.flags).startswith("yes")
    except ToolError:
        return False
