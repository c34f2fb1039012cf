"""Installations that files of e2e share: each a control plane of its own, the chart on it, and Ceph RGW as its store."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import pytest

from hack.tools.children import free_ports
from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.e2e.people import DOMAIN, ENGINEER, HOME, OWNER, VIEWER, Guild, may
from tests.support.distribution import file_of, group_of
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_store
from tests.support.parts import shared
from tests.support.pods import in_a_pod

RIGHTS: Final = (
    (OWNER, "create", "accessgrants"),
    (ENGINEER, "create", "dataproducts"),
    (ENGINEER, "create", "pods"),
    (VIEWER, "get", "dataproducts"),
)
"""What each binding of the guild's Domain lets somebody do."""
ACME: Final = {"log.level": "debug", "access.bindableRoles": "{clouddatamesh-workloads,acme:Notebooks}"}


@pytest.fixture(scope="module")
def mesh(request: pytest.FixtureRequest, rgw: Store) -> Actors:
    """The mesh `acme` with a Ready store `main` (deletion enabled) and two Ready domains, sales and inventory.

    Files of the group `pod` get the one whose operator is in a Pod; they ask for nothing that only a local process has.
    """
    if group_of(file_of(request.node.nodeid)) == "pod":
        found: Actors = request.getfixturevalue("pod")
        return found
    return shared(request, lambda: _a_mesh(_as_a_process("acme", {**ACME, **_with_gate()}), rgw))


@pytest.fixture(scope="module")
def pod(request: pytest.FixtureRequest, rgw: Store) -> Actors:
    """The mesh `acme` whose operator is in a Pod of a real node, where this run has one."""
    return shared(request, lambda: _a_mesh(in_a_pod(request.config, mesh="acme", values=ACME), rgw))


@pytest.fixture(scope="module")
def brisk(request: pytest.FixtureRequest, rgw: Store) -> Actors:
    """The mesh `brisk`, which looks for drift every minute, with a Ready store `main`. Each file makes the domains that it needs."""
    return shared(request, lambda: _a_brisk_mesh(rgw))


@pytest.fixture(scope="module")
def guild(mesh: Actors) -> Guild:
    """A domain of that mesh with owners, engineers and viewers, who have their rights."""
    mesh.installed.apply(DOMAIN)
    mesh.installed.wait("domain", HOME)
    found = Guild(mesh.installed)
    for person, verb, what in RIGHTS:
        mesh.installed.until(partial(may, found, person, verb, what, HOME), what=f"the right of the {person.user} to {verb} {what}")
    return found


def _with_gate() -> dict[str, str]:
    """The gate program, with a port that nobody has."""
    (port,) = free_ports(1)
    return {"governance.gate.enabled": "true", "governance.gate.healthPort": str(port)}


@contextlib.contextmanager
def _as_a_process(mesh: str, values: dict[str, str]) -> Iterator[Installation]:
    with ControlPlane() as cluster, Installation(cluster, mesh=mesh, values=values) as installed:
        yield installed


@contextlib.contextmanager
def _a_mesh(installation: AbstractContextManager[Installation], rgw: Store) -> Iterator[Actors]:
    with installation as installed:
        store = installed.reach(rgw)
        installed.give_credentials(store)
        installed.apply(a_store(endpointUrl=store.endpoint, region=store.region), a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, name, seconds=90)
        yield Actors(installed, store)


@contextlib.contextmanager
def _a_brisk_mesh(rgw: Store) -> Iterator[Actors]:
    values = {"log.level": "debug", "driftInterval": "1m", "governance.trustedAppliers": "{applier}"}
    with ControlPlane() as cluster, Installation(cluster, mesh="brisk", values=values) as installed:
        installed.give_credentials(rgw)
        installed.apply(a_store(endpointUrl=rgw.endpoint, region=rgw.region, bucketPrefix="brisk"))
        installed.wait("objectstore", "main", seconds=90)
        yield Actors(installed, rgw)
