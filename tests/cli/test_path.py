"""A stranger's path in a terminal, on the fakes: search, describe, request, approve, use, revoke."""

import sys

import pytest
import yaml

from clouddatamesh.model.objects import Key
from tests.cli.conftest import DAILY, Run
from tests.support.manifests import a_product
from tests.support.served import Served

ASK = ("request", "sales/orders", "--purpose", "weekly stock forecast")
REQUEST = "inventory/orders-for-forecast"


def test_a_product_is_found_asked_for_granted_used_and_cut_off(run: Run, served: Served) -> None:
    found = run("search", "finance", "order")
    assert "sales" in found
    assert "forecast" not in found
    page = run("describe", "sales/orders")
    assert "Kim Roe <kim@example.com>" in page
    assert "Manual, at most 90d" in page
    assert "kubectl mesh request sales/orders daily" in page
    assert "created" in run(*ASK)
    assert "AwaitingGrant" in run("why", "areq/orders-for-forecast")
    served.home = "sales"
    assert REQUEST in run("requests")
    assert "created" in run("approve", REQUEST, "--until", "30d", "--note", "agreed")
    assert run("requests") == ""
    served.home = "inventory"
    lines = run("use", "orders-for-forecast")
    assert "export AWS_ACCESS_KEY_ID=" in lines
    assert "export MESH_URI=s3://acme-" in lines
    assert run("use", "orders-for-forecast", "--", sys.executable, "-c", "import os; print(os.environ['MESH_PREFIX'])") == "daily/\n"
    served.home = "sales"
    assert "deleted" in run("revoke", REQUEST)
    served.home = "inventory"
    assert "has no access" in run("use", "orders-for-forecast", code=1)


def test_the_exit_code_is_that_of_the_command_and_its_files_are_gone(run: Run, served: Served) -> None:
    run(*ASK)
    served.home = "sales"
    run("approve", REQUEST)
    served.home = "inventory"
    code = "import os, sys; print(os.environ['SERVICE_BINDING_ROOT']); sys.exit(3)"
    folder = run("use", "orders-for-forecast", "--", sys.executable, "-c", code, code=3).strip()
    assert folder
    with pytest.raises(FileNotFoundError):
        open(folder)  # noqa: PTH123, SIM115 - it is not there


def test_the_session_of_another_login_is_not_sent_with_the_key(run: Run, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-sso")
    run(*ASK)
    served.home = "sales"
    run("approve", REQUEST)
    served.home = "inventory"
    code = "import os; print('AWS_SESSION_TOKEN' in os.environ)"
    assert run("use", "orders-for-forecast", "--", sys.executable, "-c", code) == "False\n"
    assert "unset AWS_SESSION_TOKEN" in run("use", "orders-for-forecast")


def test_ctrl_c_in_the_command_is_the_commands(run: Run, served: Served) -> None:
    run(*ASK)
    served.home = "sales"
    run("approve", REQUEST)
    served.home = "inventory"
    code = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.6); print('goes on')"
    assert run("use", "orders-for-forecast", "--", sys.executable, "-c", code) == "goes on\n"


def test_whoever_waits_has_the_time_that_was_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clouddatamesh.cli.session._SECONDS", 1.0)
    assert "is not Ready after 2 s" in run(*ASK, "--wait", "--timeout", "2", code=1)


def test_a_request_that_was_denied_says_who_can_act(run: Run, served: Served) -> None:
    run(*ASK)
    served.home = "sales"
    assert "created" in run("deny", REQUEST, "--note", "use the aggregate")
    served.home = "inventory"
    said = run("why", "areq/orders-for-forecast")
    assert "Denied" in said
    assert "Kim Roe" in said


@pytest.mark.parametrize("approval", ["Auto", "Manual"])
def test_what_would_come_back_is_denied_and_not_deleted(run: Run, served: Served, approval: str) -> None:
    access = {"approval": approval, "maxDuration": "90d"}
    served.mesh.apply(a_product("orders", "sales", outputPorts=[{**DAILY, "access": access}])).settle()
    run(*ASK)
    served.home = "sales"
    if approval == "Manual":
        run("approve", REQUEST)
    said = run("revoke", REQUEST)
    assert ("deleted" in said) is (approval == "Manual")
    assert served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["status"] != "True"


TOOLS = [
    ("annotations", "argocd.argoproj.io/tracking-id"),
    ("labels", "app.kubernetes.io/instance"),
    ("labels", "kustomize.toolkit.fluxcd.io/name"),
    ("annotations", "meta.helm.sh/release-name"),
]


@pytest.mark.parametrize(("part", "tool"), TOOLS, ids=lambda word: word.partition("/")[0])
def test_what_a_tool_would_make_again_is_denied(run: Run, served: Served, part: str, tool: str) -> None:
    run(*ASK)
    served.home = "sales"
    run("approve", REQUEST)
    (grant,) = (found for found in served.objects.values() if found["kind"] == "AccessGrant")
    served.mesh.apply({**grant, "metadata": {**grant["metadata"], part: {tool: "sales"}}})
    assert "deleted" not in run("revoke", REQUEST)
    assert served.mesh.condition("AccessRequest", "orders-for-forecast", "inventory")["reason"] == "Denied"


def test_a_manifest_is_printed_for_git_and_nothing_is_written(run: Run, served: Served) -> None:
    asked = yaml.safe_load(run(*ASK, "-o", "yaml"))
    assert (asked["kind"], asked["spec"]["duration"], asked["spec"]["secretName"]) == ("AccessRequest", "90d", "orders-for-forecast")
    assert not served.written
    run(*ASK, "--dry-run")
    assert "AccessRequest" not in {key.kind for key in served.objects}
    run(*ASK)
    served.home = "sales"
    served.written.clear()
    grant = yaml.safe_load(run("approve", REQUEST, "-o", "yaml"))
    assert (grant["kind"], grant["metadata"]["namespace"], grant["spec"]["decision"]) == ("AccessGrant", "sales", "Approve")
    assert not served.written
    with_end = yaml.safe_load(run("approve", REQUEST, "--until", "2100-01-01T00:00:00Z", "-o", "yaml"))
    assert with_end["spec"]["validUntil"] == "2100-01-01T00:00:00Z"


def test_access_is_renewed_by_one_field(run: Run, served: Served) -> None:
    run(*ASK)
    renewed = yaml.safe_load(run("renew", "orders-for-forecast", "--reason", "it goes on", "-o", "yaml"))
    before = served.mesh.get("AccessRequest", "orders-for-forecast", "inventory")["spec"]
    assert {name: said for name, said in renewed["spec"].items() if name != "renewal"} == before
    assert renewed["spec"]["renewal"]["reason"] == "it goes on"
    assert "changed" in run("renew", "orders-for-forecast", "--reason", "it goes on")
    _, _, sent = served.written[-1]
    uid = served.mesh.get("AccessRequest", "orders-for-forecast", "inventory")["metadata"]["uid"]
    assert sent["metadata"]["uid"] == uid, "one that was deleted meanwhile is not made again"


def test_what_was_renewed_by_another_tool_is_renewed_again(run: Run, served: Served) -> None:
    run(*ASK)
    found = served.mesh.cluster.raw(Key("AccessRequest", "inventory", "orders-for-forecast")) or {}
    served.mesh.apply({**found, "spec": {**found["spec"], "renewal": {"reason": "it goes on", "requestedAt": "2026-01-01T00:00:00Z"}}})
    assert "changed" in run("renew", "orders-for-forecast")
    renewal = served.mesh.get("AccessRequest", "orders-for-forecast", "inventory")["spec"]["renewal"]
    assert list(renewal) == ["requestedAt"]
    assert renewal["requestedAt"] > "2026-01-01T00:00:00Z"
