"""`python -m clouddatamesh.generate [--check]`: write every generated file, or say which one is not what api/ and values.yaml declare."""

import argparse
import sys
from pathlib import Path

from clouddatamesh.generate.argocd import argocd_cm, resource_customizations
from clouddatamesh.generate.crds import crd_files
from clouddatamesh.generate.metrics import metrics_page
from clouddatamesh.generate.rbac import permissions_file
from clouddatamesh.generate.reasons import reasons_page
from clouddatamesh.generate.reference import reference
from clouddatamesh.generate.starterpack import starter_file, starter_page
from clouddatamesh.generate.values import values_page, values_schema

_CHART = Path("charts/clouddatamesh/files")
_ARGOCD = Path("examples/argocd")
_VALUES = Path("charts/clouddatamesh/values.yaml")


def generated(root: Path) -> dict[Path, str]:
    """Path from the root of the repository -> text."""
    crds, values = crd_files(), (root / _VALUES).read_text(encoding="utf-8")
    files = {folder / name: text for folder in (Path("crds"), _CHART / "crds") for name, text in crds.items()}
    files |= {_ARGOCD / "resource_customizations" / name: text for name, text in resource_customizations().items()}
    files[_ARGOCD / "argocd-cm.yaml"] = argocd_cm()
    chart = {_VALUES.with_name("values.schema.json"): values_schema(values), Path("docs/chart.md"): values_page(values)}
    pages = {"reference.md": reference(), "metrics-reference.md": metrics_page(), "operations/reasons.md": reasons_page()}
    pages["starter-pack.md"] = starter_page()
    files |= {Path("docs") / name: text for name, text in pages.items()}
    return {**files, **chart, _CHART / "permissions.yaml": permissions_file(), _CHART / "starterpack.yaml": starter_file()}


def find_stale(root: Path) -> tuple[Path, ...]:
    """Generated files that are missing, different, or no longer generated."""
    return _find_stale(root, generated(root))


def _find_stale(root: Path, wanted: dict[Path, str]) -> tuple[Path, ...]:
    stale = [path for path, text in wanted.items() if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text]
    left = [path.relative_to(root) for folder in ("crds", _CHART / "crds") for path in (root / folder).glob("*.yaml")]
    left += [path.relative_to(root) for path in (root / _ARGOCD).rglob("*.lua")]
    return tuple(sorted({*stale, *(path for path in left if path not in wanted)}))


def write(root: Path) -> None:
    """Write every file; remove what is no longer generated."""
    wanted = generated(root)
    for path in _find_stale(root, wanted):
        target = root / path
        if path not in wanted:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[path], encoding="utf-8")


def main() -> int:
    """0 where everything is fresh."""
    parser = argparse.ArgumentParser(prog="python -m clouddatamesh.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    if not parser.parse_args().check:
        write(Path.cwd())
        return 0
    stale = find_stale(Path.cwd())
    for path in stale:
        sys.stderr.write(f"{path} is not what api/ and values.yaml declare; run make generate\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
