"""The completion that `kubectl-mesh --show-completion` prints, run by the shells themselves; one that is not installed is left out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(sys.executable).parent
ENV = {**os.environ, "PATH": f"{FOLDER}:{os.environ['PATH']}", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
ASKS = {
    "bash": """
        source "$1"
        COMP_WORDS=($2) COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        _kubectl_mesh_completion kubectl-mesh
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { : }
        _arguments() { print -r -- "$@" }
        source "$1"
        words=(${=2}) CURRENT=${#words}
        _kubectl_mesh_completion kubectl-mesh
    """,
    "fish": "source $argv[1]; complete -C $argv[2]",
}
"""What a shell does when Tab is pressed, with the script and the typed words as arguments. zsh's own widget is a stand-in that prints."""


def script_of(shell: str) -> str:
    command = [str(FOLDER / "kubectl-mesh"), "--show-completion", shell]
    return subprocess.run(command, capture_output=True, text=True, env=ENV, check=True).stdout


def asked(shell: str, typed: str, folder: Path) -> str:
    file = folder / "script"
    file.write_text(script_of(shell))
    words = [*([] if shell == "fish" else ["shell"]), str(file), typed]
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *flags, "-c", ASKS[shell], *words], capture_output=True, text=True, env={**ENV, "HOME": str(folder)}, check=False
    )
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ASKS)
def test_a_shell_completes_the_program(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    found = asked(shell, "kubectl-mesh de", tmp_path)
    assert "describe" in found
    assert "deny" in found
    assert "approve" not in found
    assert "domain" in asked(shell, "kubectl-mesh init do", tmp_path)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_no_variable_with_a_space(shell: str) -> None:
    script = script_of(shell)
    assert f"_KUBECTL_MESH_COMPLETE=complete_{shell}" in script
    assert "kubectl mesh" not in script
