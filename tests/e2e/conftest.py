"""One installation for the flows of e2e: a control plane of its own, the chart on it, and Ceph RGW as its store."""

import contextlib
from collections.abc import Iterator

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.store import Store
from tests.e2e.actors import Actors
from tests.e2e.people import DOMAIN, HOME, Guild
from tests.support.installation import Installation
from tests.support.manifests import a_domain, a_store
from tests.support.parts import shared


@pytest.fixture(scope="module")
def mesh(request: pytest.FixtureRequest, rgw: Store) -> Actors:
    """The mesh `acme` with a Ready store `main` (deletion enabled) and two Ready domains, sales and inventory."""
    return shared(request, lambda: _a_mesh(rgw))


@pytest.fixture(scope="module")
def brisk(request: pytest.FixtureRequest, rgw: Store) -> Actors:
    """The mesh `brisk`, which looks for drift every minute, with a Ready store `main`. Each file makes the domains that it needs."""
    return shared(request, lambda: _a_brisk_mesh(rgw))


@pytest.fixture(scope="module")
def guild(mesh: Actors) -> Guild:
    """A domain of that mesh with owners, engineers and viewers."""
    mesh.installed.apply(DOMAIN)
    mesh.installed.wait("domain", HOME)
    return Guild(mesh.installed)


@contextlib.contextmanager
def _a_mesh(rgw: Store) -> Iterator[Actors]:
    values = {"log.level": "debug", "access.bindableRoles": "{clouddatamesh-workloads,acme:Notebooks}"}
    with ControlPlane() as cluster, Installation(cluster, mesh="acme", values=values) as installed:
        installed.give_credentials(rgw)
        installed.apply(a_store(endpointUrl=rgw.endpoint, region=rgw.region), a_domain("sales"), a_domain("inventory"))
        for kind, name in (("objectstore", "main"), ("domain", "sales"), ("domain", "inventory")):
            installed.wait(kind, name)
        yield Actors(installed, rgw)


@contextlib.contextmanager
def _a_brisk_mesh(rgw: Store) -> Iterator[Actors]:
    values = {"log.level": "debug", "driftInterval": "1m"}
    with ControlPlane() as cluster, Installation(cluster, mesh="brisk", values=values) as installed:
        installed.give_credentials(rgw)
        installed.apply(a_store(endpointUrl=rgw.endpoint, region=rgw.region, bucketPrefix="brisk"))
        installed.wait("objectstore", "main")
        yield Actors(installed, rgw)
