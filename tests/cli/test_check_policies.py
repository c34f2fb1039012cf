"""`check` with policies among the files: the operator's verdicts, without a cluster."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from clouddatamesh.cel.process import CelProcess
from tests.cli.conftest import Run
from tests.cli.test_check import alone, write
from tests.support.manifests import a_domain, a_grant, a_policy, a_product, a_request, a_rule, a_store, a_waiver

__all__ = ["alone"]
SHORT = {"purpose": "no"}
LASTING = {"validUntil": "2999-01-01T00:00:00Z"}


def mesh(*more: Any) -> list[Any]:
    return [a_store(), a_domain("sales"), *more]


def found(run: Run, *manifests: Any, code: int = 0) -> list[dict[str, Any]]:
    """The remarks as data."""
    file = write("mesh.yaml", *manifests)
    printed = run("check", file, "-o", "json", code=code)
    return list(json.loads(printed[: printed.rindex("}") + 1])["items"])


def line_of(text: str, number: int = 1) -> int:
    lines = [at for at, line in enumerate(Path("mesh.yaml").read_text().splitlines(), 1) if text in line]
    return lines[number - 1]


def test_a_deny_is_an_error_and_an_audit_a_warning_at_the_object(run: Run) -> None:
    rules = [a_rule(remediation="Fill spec.description.purpose.", severity="high")]
    (one,) = found(run, *mesh(a_policy(enforcement="Deny", rules=rules), a_product(description=SHORT)), code=1)
    assert one == {
        "file": "mesh.yaml",
        "line": line_of("apiVersion", 4),
        "object": "DataProduct sales/orders",
        "field": "",
        "message": "Rule has-purpose is kept; Fill spec.description.purpose (GovernancePolicy/ownership, rule has-purpose, Deny, high)",
        "level": "error",
        "policy": "GovernancePolicy/ownership",
        "rule": "has-purpose",
        "enforcement": "Deny",
        "severity": "high",
        "remediation": "Fill spec.description.purpose.",
    }
    for enforcement in ("Audit", "Warn"):
        (one,) = found(run, *mesh(a_policy(enforcement=enforcement), a_product(description=SHORT)))
        assert (one["level"], one["enforcement"]) == ("warning", enforcement)
    assert found(run, *mesh(a_policy(), a_product())) == []


def test_an_audit_fails_where_warnings_do(run: Run) -> None:
    file = write("mesh.yaml", *mesh(a_policy(), a_product(description=SHORT)))
    assert "0 errors, 1 warnings" in run("check", file, "--strict", code=1)


def test_annotations_of_github(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = run("check", write("mesh.yaml", *mesh(a_policy(), a_product(description=SHORT))))
    assert f"::warning file=mesh.yaml,line={line_of('apiVersion', 4)}::DataProduct sales/orders: Rule has-purpose is kept" in said


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("object.spec.", "Rule bad is no valid CEL: 1:13: Syntax error"),
        ("nobody == 1", "Rule bad is no valid CEL: 1:1: undeclared reference to 'nobody'"),
        ("1 + 1", "Rule bad is no valid CEL: it gives int, not true or false"),
    ],
)
def test_a_rule_that_does_not_compile_has_its_line_and_its_policy_counts_for_nothing(run: Run, expression: str, said: str) -> None:
    policy = a_policy(enforcement="Deny", rules=[a_rule(), a_rule("bad", expression)])
    (one,) = found(run, *mesh(policy, a_product(description=SHORT)), code=1)
    assert said in one["message"]
    assert (one["object"], one["field"]) == ("GovernancePolicy ownership", "spec.rules[1].expression")
    assert one["line"] == line_of("expression:", 2)


def test_params_that_are_too_long_are_told_at_the_params(run: Run) -> None:
    (one,) = found(run, *mesh(a_policy(params={"minPurpose": 1, "x": "y" * 9000})), code=1)
    assert one["field"] == "spec.params"


def test_a_waiver_counts_until_its_end(run: Run) -> None:
    product, policy = a_product(description=SHORT), a_policy(enforcement="Deny")
    assert found(run, *mesh(policy, product, a_waiver(**LASTING))) == []
    ended = found(run, *mesh(policy, product, a_waiver(validUntil="2026-01-01T00:00:00Z")), code=1)
    assert [(one["level"], one["object"]) for one in ended] == [
        ("warning", "PolicyWaiver orders-purpose"),
        ("error", "DataProduct sales/orders"),
    ]
    others = found(run, *mesh(policy, product, a_waiver(**LASTING, rule="another")), code=1)
    assert "GovernancePolicy/ownership has no rule another; its rules: has-purpose" in others[0]["message"]
    alone_ = found(run, a_waiver(**LASTING))
    assert [one["level"] for one in alone_] == ["warning", "warning"] or alone_ == []


def test_rules_of_which_the_domain_is_not_among_the_files_are_not_asked_and_a_note_says_so(run: Run) -> None:
    """A team checks its own repository by the policies of the company, without the Domain."""
    gold = {"kinds": ["DataProduct"], "domains": {"matchLabels": {"tier": "gold"}}}
    policies = [
        a_policy("labels", enforcement="Deny", targets=gold, rules=[a_rule("a", "false")]),
        a_policy("reads", enforcement="Deny", rules=[a_rule("b", "domain.metadata.name == 'x'"), a_rule("c", "true")]),
        a_policy("own", "sales", enforcement="Deny", rules=[a_rule("d", "false")]),
        a_policy("grants", enforcement="Deny", targets={**gold, "kinds": ["AccessGrant"]}, rules=[a_rule("e", "false")]),
    ]
    said = run("check", write("mesh.yaml", *policies, a_product()), "--strict", code=1)
    rules = "DomainPolicy/sales/own/d, GovernancePolicy/labels/a, GovernancePolicy/reads/b"
    assert f"3 rules need the Domain, which is not among the files, and were not asked: {rules}\n" in said
    assert "the Domain, which" not in run("check", write("mesh.yaml", *mesh(*policies, a_product(description=SHORT))), code=1)


def test_rules_that_read_live_are_not_asked_and_a_note_says_so_once(run: Run) -> None:
    rules = [
        a_rule(),
        a_rule("unused", "live.consumers > 0"),
        a_rule("public", "live.bucket.publicAccessBlocked"),
        a_rule("trained", "domain.training.overdue == 0"),
    ]
    file = write("mesh.yaml", *mesh(a_policy(rules=rules), a_product(), a_product("returns", description=SHORT)))
    said = run("check", file, "--strict", code=1)
    assert said.count("3 rules read live or training, which only the cluster knows, and were not asked:") == 1
    assert "GovernancePolicy/ownership/public, GovernancePolicy/ownership/trained, GovernancePolicy/ownership/unused" in said
    assert "0 errors, 1 warnings" in said


def test_oldobject_is_null_and_defaults_are_set(run: Run) -> None:
    rules = [a_rule("new", "oldObject == null"), a_rule("default", "object.spec.storage.deletionPolicy == 'Retain'")]
    assert found(run, *mesh(a_policy(rules=rules), a_product())) == []


def test_the_domain_is_the_one_among_the_files(run: Run) -> None:
    parent = a_domain("commerce")
    parent["metadata"]["labels"] = {"tier": "gold"}
    policy = a_policy(targets={"domains": {"matchLabels": {"tier": "gold"}}}, rules=[a_rule("of", "domain.metadata.name == 'x'")])
    (one,) = found(run, a_store(), parent, a_domain("sales", parentRef={"name": "commerce"}), policy, a_product())
    assert one["rule"] == "of"
    assert found(run, a_store(), a_domain("sales"), policy, a_product()) == []
    everywhere = {**policy, "spec": {**policy["spec"], "targets": {}}}
    homeless = found(run, a_store(), everywhere, a_product())
    assert ["No Domain among the files" in one["message"] for one in homeless] == [True]


def test_every_kind_is_judged(run: Run) -> None:
    kinds = ["Domain", "DataProduct", "AccessRequest", "AccessGrant"]
    policy = a_policy(targets={"kinds": kinds}, rules=[a_rule("never", "false")])
    port = {"name": "daily", "version": "1.0.0", "path": "daily/"}
    product = a_product(outputPorts=[port])
    items = found(run, *mesh(a_domain("inventory"), policy, product, a_product("forecast", "inventory"), a_request(), a_grant()))
    assert {one["object"].split()[0] for one in items if one.get("rule") == "never"} == set(kinds)


def test_layers_are_those_of_the_operator(run: Run) -> None:
    above = a_policy("above", enforcement="Warn")
    (conflict, one) = found(run, *mesh(above, a_policy("own", "sales"), a_product(description=SHORT)), code=1)
    assert "Rule has-purpose of DomainPolicy/sales/own is enforced less" in conflict["message"]
    assert one["policy"] == "GovernancePolicy/above"
    tight = found(run, *mesh(above, a_policy("own", "sales", enforcement="Deny"), a_product(description=SHORT)), code=1)
    assert [one["policy"] for one in tight] == ["DomainPolicy/sales/own", "GovernancePolicy/above"]
    away = a_domain("sales", namespaces=[{"name": "sales"}, {"name": "lab"}])
    (outside,) = found(run, a_store(), away, a_policy("own", "lab"), a_product("x", "lab", description=SHORT), code=1)
    assert "Namespace lab is not the home namespace of Domain sales, which is sales" in outside["message"]
    (nowhere,) = found(run, a_store(), a_policy("own", "lab"))
    assert nowhere["level"] == "warning"


def test_policies_from_elsewhere_judge_and_are_not_judged(run: Run) -> None:
    Path("central").mkdir()
    write("central/policies.yaml", a_domain("sales"), a_policy(enforcement="Deny"), a_product("bad", description=SHORT))
    write("central/other.yaml", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    file = write("mesh.yaml", a_store(), a_product(description=SHORT))
    said = run("check", file, "--policies", "central", code=1)
    assert "mesh.yaml:" in said
    assert "rule has-purpose, Deny" in said
    assert "bad" not in said
    write("central/wrong.yaml", a_policy("other", rules=[a_rule("bad", "1 +")]))
    assert "central/wrong.yaml:" in run("check", file, "--policies", "central", code=1)


def test_a_hostile_rule_is_named_and_ends_nothing(run: Run) -> None:
    text = "x" * 900
    bomb = f"!has(object.kind) || 'x'.replace('x', '{text}').replace('x', '{text}').replace('x', '{text}').size() > 0"
    policy = a_policy(rules=[a_rule("bomb", bomb)])
    items = found(run, *mesh(policy, a_policy("other", rules=[a_rule("never", "false")]), a_product()))
    assert [(one["level"], one["rule"]) for one in items] == [("warning", "never"), ("warning", "bomb")]
    assert "the rule takes more time or memory on this object than it may" in items[1]["message"]
    (fault,) = found(run, *mesh(a_policy(rules=[a_rule("bomb", bomb.partition("|| ")[2])]), a_product()), code=1)
    assert "Rule bomb is no valid CEL: it takes more time or memory than a rule may" in fault["message"]


def test_the_engine_starts_only_where_there_is_a_policy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CelProcess, "__init__", lambda *_: pytest.fail("the engine was made"))
    run("check", write("mesh.yaml", *mesh(a_product(description=SHORT))))


def test_the_engine_ends_with_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    begin = CelProcess._begin

    def note(self: CelProcess) -> subprocess.Popen[bytes]:
        begun.append(begin(self))
        return begun[-1]

    monkeypatch.setattr(CelProcess, "_begin", note)
    run("check", write("mesh.yaml", *mesh(a_policy(), a_product(description=SHORT))))
    (process,) = begun
    assert process.returncode is not None


def test_100_files_take_a_second(run: Run) -> None:
    rules = [a_rule(f"r{number}", f"size(object.spec.description.purpose) >= params.minPurpose || {number} < 0") for number in range(30)]
    write("m/mesh.yaml", *mesh(a_policy(rules=[*rules, a_rule("never", "false")])))
    for number in range(100):
        write(f"m/{number}.yaml", a_product(f"p{number}"))
    run("check", "m")
    began = time.process_time()
    assert run("check", "m").count("rule never") == 100
    assert time.process_time() - began < 2
