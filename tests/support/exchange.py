"""Documents for tests of import and export: our own, the real ones where they are, and what a document may gain on its way."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft201909Validator

from clouddatamesh.cli import schemas
from clouddatamesh.export.bitol.importing import Imported, Source, Target, read
from clouddatamesh.export.bitol.loading import load
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.mesh import Mesh
from tests.support.installation import ROOT

OWN: Final = ROOT / "tests" / "support" / "descriptors"
REAL: Final = Path(os.environ.get("MESH_DESCRIPTORS", str(ROOT.parent / "shared" / "descriptors")))
WITHOUT: Final = "the real descriptors are not here; MESH_DESCRIPTORS names their folder"
TARGET: Final = Target("sales", "main")
ADDED: Final = frozenset({"id", "name", "status", "version"})
"""What an import writes where a document says nothing; the report lists each."""


def files(standard: str) -> list[Path]:
    """Our own documents of a standard and the real ones."""
    return sorted([*OWN.glob(f"*.{standard}.yaml"), *REAL.glob(f"*.{standard}.yaml")], key=lambda path: path.name)


def document(path: Path) -> dict[str, Any]:
    """The only document of a file."""
    (found,) = load(path.read_text(encoding="utf-8"))
    return dict(found)


def imported(*documents: Any, **changes: Any) -> Imported:
    """Documents, imported without a cluster and leniently unless said otherwise."""
    target = Target(**{"namespace": "sales", "store": "main", "lenient": True, **changes})
    return read([Source(f"{place}.yaml", one) for place, one in enumerate(documents)], target)


def product_of(found: Imported) -> dict[str, Any]:
    """The only product."""
    (product,) = (one for one in found.manifests if one["kind"] == "DataProduct")
    return product


def mesh_of(*manifests: Manifest) -> Mesh:
    """What a reader sees who may read all of it."""
    return Mesh.of(manifests)


def faults(name: str, document: Any) -> list[str]:
    """What an official schema (`odps-1.1.0`, `odps-1.0.0`, `odcs`) refuses, but for its known flaw."""
    return [f"{fault.json_path}: {fault.message}" for fault in _validator(name).iter_errors(document) if not schemas._is_flaw(fault)]


@cache
def _validator(name: str) -> Any:
    if name == "odps-1.0.0":
        return Draft201909Validator(json.loads((ROOT / "tests/support/schemas/odps-1.0.0.schema.json").read_text(encoding="utf-8")))
    return schemas._validator(name.removesuffix("-1.1.0"))


def lost(before: Any, after: Any, path: str = "$") -> Iterator[str]:
    """JSON paths of what is in the first and not in the second. Null is nothing; our custom properties and what is added do not count."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (name for name, value in before.items() if value is not None):
            yield from lost(before[name], after[name], f"{path}.{name}") if name in after else (f"{path}.{name}",)
        yield from (f"{path}.{name} added" for name in after if name not in before and name not in ADDED and name != "customProperties")
    elif isinstance(before, list) and isinstance(after, list):
        left = [one for one in after if not (isinstance(one, Mapping) and one.get("vendor") == "clouddatamesh")]
        if len(left) != len(before):
            yield f"{path} has {len(left)} entries instead of {len(before)}"
        for place, (one, other) in enumerate(zip(before, left, strict=False)):
            yield from lost(one, other, f"{path}[{place}]")
    elif before != after:
        yield path
