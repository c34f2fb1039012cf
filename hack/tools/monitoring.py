"""The CustomResourceDefinitions of the Prometheus operator, so that an API server checks what the chart renders for it. Nothing runs."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from hack.tools.binaries import find_go, get_cache, lock
from hack.tools.children import Say, ToolError, say_aloud

MODULE: Final = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
SUM: Final = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
"""What go.sum would say of it."""
GO: Final = (1, 26)
KINDS: Final = ("podmonitors", "prometheusrules", "servicemonitors")


def get_monitoring_crds(*, say: Say = say_aloud) -> tuple[Path, ...]:
    """A file for each kind, from the Go module proxy or the cache. Raises ToolError."""
    place = get_cache() / f"monitoring-{MODULE.rpartition('@')[2]}"
    with lock("monitoring", say=say):
        if not place.is_dir():
            _fetch(place, say)
    return tuple(place / f"{kind}.yaml" for kind in KINDS)


def _fetch(place: Path, say: Say) -> None:
    say("fetching the CRDs of the Prometheus operator")
    with tempfile.TemporaryDirectory(dir=get_cache()) as scratch:
        env = {**os.environ, "GOFLAGS": "", "GOWORK": "off"}
        command = [str(find_go(GO, say)), "mod", "download", "-json", MODULE]
        done = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout or "{}")
        if done.returncode or found.get("Sum") != SUM:
            raise ToolError(f"{' '.join(command)}: {found.get('Error') or done.stderr.strip() or 'another checksum'}")
        made, crds = Path(scratch) / "made", Path(found["Dir"]) / "example/prometheus-operator-crd"
        made.mkdir()
        for kind in KINDS:
            shutil.copyfile(crds / f"monitoring.coreos.com_{kind}.yaml", made / f"{kind}.yaml")
        made.rename(place)
