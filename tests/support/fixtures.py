"""Real parts for tests: a control plane and two stores, each started when first asked for. The stores are kept until the end."""

from collections.abc import Iterator

import pytest

from hack.tools.controlplane import ControlPlane
from hack.tools.s3_moto import Moto
from hack.tools.s3_rgw import Rgw
from hack.tools.store import Store
from tests.support.parts import shared


@pytest.fixture(scope="module")
def control_plane(request: pytest.FixtureRequest) -> ControlPlane:
    """A Kubernetes control plane with RBAC, admission and an audit log. It runs no Pods: see tests/support/kubelet.py."""
    return shared(request, ControlPlane)


@pytest.fixture(scope="session")
def moto() -> Iterator[Store]:
    """moto, enforcing IAM."""
    with Moto() as store:
        yield store


@pytest.fixture(scope="session")
def rgw() -> Iterator[Store]:
    """Ceph RGW."""
    with Rgw() as store:
        yield store
