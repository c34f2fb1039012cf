"""Whether the operator may do what it declares to need; asked at the start, and again while something is missing."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from clouddatamesh.api import permissions
from clouddatamesh.errors import MeshError
from clouddatamesh.kube.access import Need
from clouddatamesh.shell.repeat import Repeat

_log = logging.getLogger(__name__)
_AGAIN: Final = 15.0
_GRANTED: Final = 300.0
"""Seconds until it is asked again where all is granted: somebody may take a right away."""


class AccessCheck:
    """`find_missing` asks the API server. What is missing is logged when it changes, and is part of readiness and metrics."""

    def __init__(
        self, find_missing: Callable[[tuple[Need, ...]], tuple[Need, ...]], *, namespace: str, bindable: tuple[str, ...] = ()
    ) -> None:
        self._find_missing, self._needs = find_missing, needs(namespace, bindable)
        self._asked = False
        self.missing: tuple[Need, ...] = ()
        self._repeat = Repeat("access", self.run_once)

    def start(self) -> None:
        """Ask now, and then on a schedule."""
        self._repeat.start()

    def stop(self) -> None:
        """Ask no more."""
        self._repeat.stop()

    def describe(self) -> tuple[str, ...]:
        """What speaks against being ready."""
        if not self._asked:
            return ("permissions have not been checked yet",)
        return tuple(f"the operator may not {need}" for need in self.missing)

    def run_once(self) -> float:
        """Ask; after how many seconds to do so again."""
        try:
            missing = self._find_missing(self._needs)
        except MeshError as error:
            _log.warning("Permissions could not be checked: %s", error)
            return _AGAIN
        for need in sorted(set(missing) - set(self.missing)):
            _log.error("The operator may not %s; install the chart's RBAC", need)
        if self.missing and not missing:
            _log.info("The operator may now do all that it needs to")
        self.missing, self._asked = missing, True
        return _AGAIN if missing else _GRANTED


def needs(namespace: str, bindable: tuple[str, ...] = ()) -> tuple[Need, ...]:
    """Every single permission that is declared, as the API server is asked for it; `bindable` are the additional roles of Domains."""
    everywhere = (need for rule in permissions.in_cluster(bindable) for need in needs_of(rule))
    here = (need for rule in permissions.OPERATOR_OWN_NAMESPACE for need in needs_of(rule, namespace=namespace))
    return tuple(sorted({*everywhere, *here}))


def needs_of(rule: permissions.PolicyRule, *, namespace: str = "") -> Iterator[Need]:
    """The single permissions of one rule, in a namespace or everywhere."""
    names: Iterable[str] = rule.names or ("",)
    for resource in rule.resources:
        plural, _, subresource = resource.partition("/")
        for name in names:
            for group in rule.groups:
                yield from (Need(verb, group, plural, subresource, namespace, name) for verb in rule.verbs)
