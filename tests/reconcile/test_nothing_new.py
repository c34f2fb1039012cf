"""A renewal while nothing new is given: the grant does not promise what does not come, and access goes on on the former one."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.reconcile.access_flows import a_port, asked
from tests.reconcile.test_access import users
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_rule
from tests.support.mesh import Mesh

DENY: Final = a_policy("no", enforcement="Deny", rules=[a_rule("never", "domain.metadata.name == ''")])
OBSTACLES: Final[dict[str, Callable[[Mesh], Mesh]]] = {
    "deprecated": lambda mesh: mesh.apply(a_product(outputPorts=[a_port()], lifecycle="deprecated")),
    "cordoned": lambda mesh: mesh.apply(a_domain("sales", cordoned=True)),
    "denied": lambda mesh: mesh.apply(DENY),
    "suspended": lambda mesh: mesh.apply(a_product(outputPorts=[a_port()], suspend=True)),
    "being deleted": lambda mesh: mesh.delete("DataProduct", "orders", "sales"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_longer_grant_says_what_keeps_it_from_giving_and_on_what_access_goes_on(obstacle: str) -> None:
    mesh = asked(Mesh()).apply(a_grant(validUntil="2026-03-01T00:00:00Z")).settle()
    given = users(mesh)
    OBSTACLES[obstacle](mesh).settle()
    mesh.apply(a_grant("newer", validUntil="2026-09-01T00:00:00Z")).settle()
    found = mesh.condition("AccessGrant", "newer", "sales")
    assert (found["status"], found["reason"]) == ("False", "NoNewGrants")
    assert "Access goes on on sales/inventory-forecast, and ends with that one" in found["message"]
    assert users(mesh) == given
    mesh.delete("AccessGrant", "inventory-forecast", "sales").settle()
    assert not users(mesh)
