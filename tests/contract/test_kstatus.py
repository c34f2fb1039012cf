"""Flux and Helm read every status as it is meant: their own library (sigs.k8s.io/cli-utils) says so, built from its Go module."""

import json
import subprocess

import pytest

from hack.tools.binaries import get_binary
from hack.tools.children import say_nothing
from tests.support.statuses import Case, deleted, every_case

pytestmark = pytest.mark.real


def test_kstatus_reads_every_status_as_it_is_meant() -> None:
    living = list(every_case())
    cases: list[Case] = [*living, *map(deleted, living)]
    given = json.dumps([case.object for case in cases])
    done = subprocess.run([get_binary("kstatus", say=say_nothing)], input=given, capture_output=True, text=True, check=True)
    found = dict(zip((case.name for case in cases), done.stdout.split(), strict=True))
    assert found == {case.name: case.kstatus for case in cases}
    assert {"Current", "Failed", "InProgress", "Terminating"} == set(found.values())
