"""An edit that a policy refuses counts for nobody from its first moment, also for those who look before it was judged, or could be."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from clouddatamesh import reasons
from clouddatamesh.cel.direct import DirectExpressions
from clouddatamesh.errors import Transient
from clouddatamesh.model.judging import Compiled
from clouddatamesh.model.memories import Memory
from tests.reconcile.access_flows import a_port, asked, by
from tests.reconcile.test_access import granted
from tests.reconcile.test_keys_end import CONSUMER, active
from tests.reconcile.test_withheld import places
from tests.support.driven import Driven
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_rule, a_store
from tests.support.mesh import Mesh

SEEDS: Final = range(6)
"""Orders in which the event of one edit reaches those whom it wakes; without judging at once some of them give."""


class Silent(DirectExpressions):
    """Rules that cannot be asked from some moment on."""

    silent = False

    def judge(self, rules: Sequence[tuple[str, Mapping[str, Any]]], data: Mapping[str, Any]) -> Any:
        if self.silent:
            raise Transient(reasons.THROTTLED, "no answer")
        return super().judge(rules, data)

    def compile(self, expression: str) -> Compiled:
        if self.silent:
            raise Transient(reasons.THROTTLED, "no answer")
        return super().compile(expression)


def denying(kind: str, rule: str) -> dict[str, Any]:
    """A rule that only the operator judges, because it reads `domain`."""
    return a_policy(
        f"no-{kind.lower()}", enforcement="Deny", targets={"kinds": [kind]}, rules=[a_rule("held", f"domain.metadata.name == '' || {rule}")]
    )


def of_ports(rule: str) -> dict[str, Any]:
    return denying("DataProduct", f"object.spec.outputPorts.all(one, {rule})")


MANUAL: Final = of_ports("!has(one.access) || !has(one.access.approval) || one.access.approval == 'Manual'")
TWO: Final = of_ports("has(one.access) && has(one.access.approvals) && one.access.approvals == 2")
DAILY: Final = of_ports("one.path == 'daily/'")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_port_answers_by_an_edit_that_is_refused(seed: int) -> None:
    mesh = asked(Mesh()).apply(MANUAL)
    driven = Driven(mesh, seed=seed).run(minutes=10)
    mesh.apply(a_product(outputPorts=[a_port(approval="Auto")]))
    driven.run(hours=1)
    assert mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert active(mesh, CONSUMER) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_no_fewer_approve_by_an_edit_that_is_refused(seed: int) -> None:
    mesh = asked(Mesh(), approvals=2).apply(TWO)
    driven = Driven(mesh, seed=seed).run(minutes=10)
    mesh.apply(a_product(outputPorts=[a_port()]), by("kim"))
    driven.run(hours=1)
    assert active(mesh, CONSUMER) == []


@pytest.mark.parametrize("path", ["all/", ""])
@pytest.mark.parametrize("seed", SEEDS)
def test_access_reaches_no_other_data_by_an_edit_that_is_refused(seed: int, path: str) -> None:
    mesh = granted().apply(DAILY)
    driven = Driven(mesh, seed=seed).run(minutes=10)
    keys, reach = active(mesh, CONSUMER), places(mesh)
    mesh.apply(a_product(outputPorts=[{**a_port(), "path": path}]))
    driven.run(hours=1)
    assert keys and (active(mesh, CONSUMER), places(mesh)) == (keys, reach)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_domain_opens_by_an_edit_that_is_refused(seed: int) -> None:
    mesh = asked(Mesh()).apply(a_domain("sales", cordoned=True), a_grant())
    driven = Driven(mesh, seed=seed).run(minutes=10)
    rule = denying("Domain", "object.metadata.name != 'sales' || (has(object.spec.cordoned) && object.spec.cordoned)")
    mesh.apply(rule, a_product("returns", outputPorts=[]))
    driven.run(minutes=10)
    mesh.apply(a_domain("sales"))
    driven.run(hours=1)
    assert mesh.condition("Domain", "sales")["reason"] == "PolicyViolation"
    assert active(mesh, CONSUMER) == [] and "storage" not in mesh.product("returns")["status"]


@pytest.mark.parametrize("what", ["create bucket", "update versioning", "create user", "create key", "update publicAccessBlock"])
def test_a_refused_edit_that_comes_during_a_look_is_not_carried_out_by_the_verdict_before_it(what: str) -> None:
    rule = "!has(object.spec.storage.lifecycleRules) || object.spec.storage.lifecycleRules.all(one, one.expireAfter != '1d')"
    expiring = {"versioning": "Suspended", "lifecycleRules": [{"name": "soon", "prefix": "a/", "expireAfter": "1d"}]}
    mesh = Mesh().apply(a_store(), a_domain("sales"), denying("DataProduct", rule)).settle()
    came: list[str] = []

    def edit(write: str) -> None:
        if what in write and not came:
            came.append(write)
            mesh.apply(a_product(storage=expiring, producer={"secretName": "orders-producer"}))

    mesh.stores.before_write = edit
    mesh.apply(a_product(producer={"secretName": "orders-producer"})).settle()
    mesh.clock.forward(days=1)
    held = mesh.settle().stores.at("https://s3.test").buckets[mesh.product()["status"]["storage"]["bucket"]].bucket
    assert came and mesh.condition("DataProduct", "orders", "sales")["reason"] == "PolicyViolation"
    assert (held.versioning, [rule.expire_days for rule in held.lifecycle or () if rule.enabled]) == ("Enabled", [])


@pytest.mark.parametrize("kinds", [["DataProduct"], ["Domain"], ["AccessGrant"], ["AccessRequest"]], ids=str)
@pytest.mark.parametrize("new_first", [True, False], ids=["the new one first", "the old one first"])
def test_access_goes_on_where_a_grant_is_renamed_while_a_new_process_cannot_ask_rules(kinds: list[str], new_first: bool) -> None:
    mesh, rules = granted(), Silent()
    mesh.expressions = rules
    mesh.apply(a_policy("any", targets={"kinds": kinds}, enforcement="Deny", rules=[a_rule("held", "true")]))
    Driven(mesh).run(minutes=10)
    keys = active(mesh, CONSUMER)
    rules.silent, mesh.memory = True, Memory()
    driven = Driven(mesh).run(minutes=10)
    if new_first:
        mesh.apply(a_grant("again"))
        driven.run(minutes=1)
    mesh.delete("AccessGrant", "inventory-forecast", "sales")
    if not new_first:
        mesh.apply(a_grant("again"))
    driven.run(minutes=30)
    assert keys and active(mesh, CONSUMER) == keys
    rules.silent = False
    driven.run(minutes=30)
    assert active(mesh, CONSUMER) == keys


def test_nothing_is_given_by_an_edit_of_which_rules_cannot_be_asked_and_access_goes_on() -> None:
    mesh, rules = Mesh(), Silent()
    mesh.expressions = rules
    asked(mesh).apply(MANUAL)
    driven = Driven(mesh).run(minutes=10)
    rules.silent = True
    mesh.apply(a_product(outputPorts=[a_port(approval="Auto")]))
    driven.run(hours=1)
    assert active(mesh, CONSUMER) == []
    rules.silent = False
    mesh.apply(a_grant(), a_product(outputPorts=[a_port()]))
    driven.run(hours=1)
    keys = active(mesh, CONSUMER)
    rules.silent = True
    mesh.apply(a_product(outputPorts=[a_port()], displayName="Orders, day by day"))
    driven.run(hours=1)
    assert keys and active(mesh, CONSUMER) == keys
