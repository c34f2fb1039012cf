"""The formats of `kubectl mesh export`, a line for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from clouddatamesh.export import backstage, dcat, openlineage
from clouddatamesh.export.bitol import odcs, odps
from clouddatamesh.export.documents import Documents
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.mesh import Mesh

ODPS_VERSIONS: Final = ("1.1.0", "1.0.0")


@dataclass(frozen=True)
class Choices:
    """What a user can choose. `mesh` is the name of the mesh, as tenant; empty: documents do not say it.

    `catalog` is the title of a catalogue of all products, `base` where the identifiers in it begin; empty: the writer's own.
    """

    odps_version: str = "1.1.0"
    mesh: str = ""
    catalog: str = ""
    base: str = ""


Writer: TypeAlias = Callable[[Mesh, Sequence[Manifest], Choices], Documents]
FORMATS: Final[Mapping[str, Writer]] = {
    "odps": lambda mesh, products, choices: odps.write(mesh, products, version=choices.odps_version, tenant=choices.mesh),
    "odcs": lambda mesh, products, choices: odcs.write(mesh, products, tenant=choices.mesh),
    "dcat": lambda mesh, products, choices: dcat.write(mesh, products, settings=choices),
    "backstage": lambda mesh, products, choices: backstage.write(mesh, products, settings=choices),
    "openlineage": lambda mesh, products, choices: openlineage.write(mesh, products, settings=choices),
}
