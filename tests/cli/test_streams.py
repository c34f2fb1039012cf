"""Where the output cannot take what is written: another encoding, a full disk, a closed pipe."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.manifests import a_product

PROGRAM = (sys.executable, "-m", "clouddatamesh", "mesh")


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """A manifest with a fault whose sentence has letters beyond ASCII."""
    file = tmp_path / "bestände.yaml"
    file.write_text(
        yaml.safe_dump({**a_product(), "spec": {**a_product()["spec"], "lifecycle": "größer"}}, allow_unicode=True), encoding="utf-8"
    )
    return str(file)


def test_what_an_encoding_lacks_is_escaped(wrong: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*PROGRAM, "check", wrong], capture_output=True, env=env, check=False)
    assert done.returncode == 1, done.stderr
    assert b"best\\xe4nde.yaml" in done.stdout
    assert b"report it" not in done.stderr


def test_a_full_disk_is_a_sentence(wrong: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "check", wrong], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"No space left on device; check the file and the disk" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_closed_pipe_is_quiet(wrong: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PROGRAM, "check", wrong], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"report it" not in done.stderr
