"""The environment: what it gives, and the sentence for each thing that is wrong with it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from clouddatamesh.shell.settings import _MESH, SettingsError, read_settings

GOOD = {"CLOUDDATAMESH_MESH": "acme", "POD_NAMESPACE": "mesh-system", "POD_NAME": "operator-0"}


def test_three_variables_are_enough() -> None:
    settings = read_settings(GOOD)
    assert (settings.core.mesh, settings.core.namespace, settings.pod, settings.threads) == ("acme", "mesh-system", "operator-0", 20)
    assert settings.core.drift_interval == timedelta(minutes=5)
    assert settings.core.bindable_roles == ()


def test_a_mesh_is_named_as_the_chart_lets_it_be_named() -> None:
    schema = json.loads((Path(__file__).parents[2] / "charts/clouddatamesh/values.schema.json").read_text())
    assert schema["properties"]["mesh"]["pattern"] == f"^({_MESH.pattern})?$"
    for name in ("a", "7", "acme-2", "a" * 40):
        assert read_settings({**GOOD, "CLOUDDATAMESH_MESH": name}).core.mesh == name


def test_roles_are_listed_with_blanks_between() -> None:
    assert read_settings({**GOOD, "BINDABLE_ROLES": "clouddatamesh-workloads acme:notebooks"}).core.bindable_roles == (
        "clouddatamesh-workloads",
        "acme:notebooks",
    )


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"CLOUDDATAMESH_MESH": ""}, "CLOUDDATAMESH_MESH is not set; set it to the name of the mesh"),
        ({"POD_NAMESPACE": ""}, "POD_NAMESPACE is not set"),
        ({"THREADS": "0"}, "THREADS must be a number from 1 to 128, not '0'"),
        ({"CLOUDDATAMESH_MESH": "A_b"}, "CLOUDDATAMESH_MESH must be 1 to 40 of a-z, 0-9 and -.*, not 'A_b'"),
        ({"CLOUDDATAMESH_MESH": "acme\n"}, "CLOUDDATAMESH_MESH must be"),
        ({"CLOUDDATAMESH_MESH": "a" * 41}, "CLOUDDATAMESH_MESH must be"),
        ({"CLOUDDATAMESH_MESH": "acme-"}, "CLOUDDATAMESH_MESH must be"),
        ({"THREADS": "²"}, "THREADS must be a number from 1 to 128, not '²'"),
        ({"THREADS": "٣"}, "THREADS must be a number"),
        ({"THREADS": "1" * 5000}, "THREADS must be a number"),
        ({"THREADS": "many"}, "THREADS must be a number"),
        ({"HEALTH_PORT": "70000"}, "HEALTH_PORT must be a number from 1 to 65535"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of info, debug, warning, error, not 'loud'"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of text, json"),
        ({"DRIFT_INTERVAL": "soon"}, "DRIFT_INTERVAL: 'soon' is no duration"),
        ({"POD_NAME": ""}, "POD_NAME is not set; set it to the name of this replica"),
        ({"DRIFT_INTERVAL": "0m"}, "DRIFT_INTERVAL must be at least 1m"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_named_with_the_way_out(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence.replace("(", r"\(")):
        read_settings({**GOOD, **env})
