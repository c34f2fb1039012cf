"""What `policies render` prints of files, written down: `gate/<case>.in.yaml` -> `<case>.out.yaml`, and what it says of what is left out.

`pytest tests/golden --update-golden` writes them again; the diff is then reviewed like code.
"""

import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from clouddatamesh.cli.app import app, load_commands
from tests.support.manifests import a_domain, a_policy, a_rule

CASES = Path(__file__).with_name("gate")


@pytest.mark.parametrize("case", sorted(CASES.glob("*.in.yaml")), ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_rendering(case: Path, request: pytest.FixtureRequest) -> None:
    load_commands("policies")
    done = CliRunner().invoke(app, ["policies", "render", str(case)])
    golden, text = case.with_name(case.name.replace(".in.yaml", ".out.yaml")), f"{_comments(done.stderr)}{done.stdout}"
    assert done.exit_code == 0
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert golden.read_text() == text


def _comments(said: str) -> str:
    return "".join(f"# {line}\n" for line in said.splitlines())


def test_a_policy_that_cannot_be_rendered_fails_the_command(tmp_path: Path) -> None:
    load_commands("policies")
    file = tmp_path / "policy.yaml"
    file.write_text((CASES / "policies.in.yaml").read_text().replace("live.bucket.encryption != ''", "request.name == 'a'"))
    done = CliRunner().invoke(app, ["policies", "render", str(file)])
    assert done.exit_code == 1
    assert "spec.rules[2].expression: Rule encrypted is no valid CEL: 1:8: undeclared reference to 'request.name'" in done.stderr
    assert "documentation" not in done.stdout
    assert "DomainPolicy/sales/tags" in done.stdout


ABOVE: Final = a_policy("up", rules=[a_rule("a", "object.spec.displayName != 'Bad'")])
FAULTS: Final = {
    "is no valid CEL: 1:27: Syntax error": a_policy("typo", rules=[a_rule("t", "object.spec.displayName ==")]),
    "undeclared reference to 'quantity'": a_policy("foreign", rules=[a_rule("q", "quantity('1') == quantity('1')")]),
    "format() writes numbers": a_policy("mixed", rules=[a_rule("ok", "true"), a_rule("bad", "'%s'.format([object.metadata.name]) == ''")]),
    "rules do not see object.status": a_policy("self", rules=[a_rule("s", "object.status.ready == true")]),
    "says the opposite of rule a": a_policy("contra", "sales", rules=[a_rule("b", "!(object.spec.displayName != 'Bad')")]),
    "is less severe": a_policy("loose", "sales", rules=[a_rule("a", "object.spec.displayName != 'Worse'", severity="low")]),
}


@pytest.mark.parametrize("says", FAULTS)
def test_what_the_operator_does_not_apply_is_not_printed(says: str, tmp_path: Path) -> None:
    load_commands("policies")
    file = tmp_path / "all.json"
    manifests = [a_domain("sales"), ABOVE, FAULTS[says]]
    denying = [one if one["kind"] == "Domain" else {**one, "spec": {**one["spec"], "enforcement": "Deny"}} for one in manifests]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": denying}))
    done = CliRunner().invoke(app, ["policies", "render", str(file)])
    assert done.exit_code == 1 and says in done.stderr
    name = FAULTS[says]["metadata"]["name"]
    assert "GovernancePolicy//up" in done.stdout and f"/{name}\n" not in done.stdout.replace('"', "")


def test_files_without_a_policy_are_said_to_have_none(tmp_path: Path) -> None:
    load_commands("policies")
    file = tmp_path / "domain.yaml"
    file.write_text("apiVersion: clouddatamesh.dev/v1alpha1\nkind: Domain\nmetadata: {name: sales}\nspec: {displayName: Sales}\n")
    done = CliRunner().invoke(app, ["policies", "render", str(file)])
    assert (done.exit_code, "There is no GovernancePolicy" in done.stderr) == (2, True)
