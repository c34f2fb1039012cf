"""What `policies render` prints of files, written down: `gate/<case>.in.yaml` -> `<case>.out.yaml`, and what it says of what is left out.

`pytest tests/golden --update-golden` writes them again; the diff is then reviewed like code.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from clouddatamesh.cli.app import app, load_commands

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
    assert "Rule encrypted cannot be judged at admission: its expression reads request" in done.stderr
    assert "documentation" not in done.stdout
    assert "DomainPolicy/sales/tags" in done.stdout


def test_files_without_a_policy_are_said_to_have_none(tmp_path: Path) -> None:
    load_commands("policies")
    file = tmp_path / "domain.yaml"
    file.write_text("apiVersion: clouddatamesh.dev/v1alpha1\nkind: Domain\nmetadata: {name: sales}\nspec: {displayName: Sales}\n")
    done = CliRunner().invoke(app, ["policies", "render", str(file)])
    assert (done.exit_code, "There is no GovernancePolicy" in done.stderr) == (2, True)
