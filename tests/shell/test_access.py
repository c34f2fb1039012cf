"""Permissions: each that is missing is named, and readiness heals once it is granted."""

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import Transient
from clouddatamesh.kube.access import Need
from clouddatamesh.shell.access import AccessCheck, needs

MISSING = Need("get", "", "secrets", namespace="mesh-system")


def test_every_declared_rule_is_asked_for() -> None:
    asked = needs("mesh-system")
    assert MISSING in asked
    assert Need("patch", "clouddatamesh.dev", "domains", "status") in asked
    assert Need("bind", "rbac.authorization.k8s.io", "clusterroles", name="clouddatamesh-secrets") in asked
    assert not [need for need in asked if need.resource == "secrets" and need.verb in ("list", "watch")]


def test_roles_that_domains_may_hand_out_are_asked_for_by_name() -> None:
    wanted = set(needs("mesh-system", ("acme:notebooks",))) - set(needs("mesh-system"))
    assert wanted == {Need("bind", "rbac.authorization.k8s.io", "clusterroles", name="acme:notebooks")}


def test_what_is_missing_is_named_until_it_is_granted(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter(((MISSING,), (MISSING,), ()))
    check = AccessCheck(lambda _: next(answers), namespace="mesh-system")
    assert check.describe() == ("permissions have not been checked yet",)
    waits = [check.run_once(), check.run_once()]
    assert check.describe() == ("the operator may not get secrets in namespace mesh-system",)
    assert caplog.messages == ["The operator may not get secrets in namespace mesh-system; install the chart's RBAC"]
    waits.append(check.run_once())
    assert check.describe() == ()
    assert waits[0] == waits[1] < waits[2]


def test_an_answer_that_does_not_come_is_no_permission() -> None:
    def fail(_: object) -> tuple[Need, ...]:
        raise Transient(reasons.CLUSTER_UNAVAILABLE, "The API server did not answer")

    check = AccessCheck(fail, namespace="mesh-system")
    check.run_once()
    assert check.describe() == ("permissions have not been checked yet",)
