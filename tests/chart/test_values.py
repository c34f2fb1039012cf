"""Every value does something, is described, and is refused by name where it is wrong."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from clouddatamesh.generate.values import Undescribed, Value, leaves, read_values, values_schema
from tests.chart.rendering import helm, render_text
from tests.chart.values import NEEDS, NOT_DEFAULT, nested
from tests.support.installation import CHART

VALUES = {value.name: value for value in leaves(read_values((CHART / "values.yaml").read_text()))}
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
SECTIONS = {name.rpartition(".")[0] for name in VALUES if "." in name}
NO_CRDS = {"mesh": "acme", "crds.enabled": False}
"""What is rendered where nothing is said of CRDs: they are long, and two values are about them."""


def rendered(flat: dict[str, Any]) -> str:
    return render_text(document=yaml.safe_dump(nested({**NO_CRDS, **flat})))


def another(value: Value) -> Any:
    if value.name in NOT_DEFAULT:
        return NOT_DEFAULT[value.name]
    if isinstance(value.default, bool):
        return not value.default
    if isinstance(value.default, int):
        return value.default + 1
    choices = [choice for choice in value.schema.get("enum", ()) if choice not in ("", value.default)]
    assert choices, f"give a value of {value.name} that is not its default in tests/chart/values.py"
    return choices[0]


@pytest.mark.parametrize("name", VALUES)
def test_every_value_changes_what_is_rendered(name: str) -> None:
    needed = next((NEEDS[place] for place in (name, name.rpartition(".")[0]) if place in NEEDS), {})
    default = {} if VALUES[name].default == "" else {name: VALUES[name].default}
    assert rendered({**needed, name: another(VALUES[name])}) != rendered({**needed, **default})


def test_values_of_this_test_are_values_of_the_chart() -> None:
    assert set(NOT_DEFAULT) <= set(VALUES)
    assert {name for needed in NEEDS.values() for name in needed} <= set(VALUES)


def wrong(value: Value) -> Any:
    """A value of another type than the schema says."""
    return ["of no use"] if "array" not in json.dumps(value.schema.get("type", "")) else "of no use"


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The chart's own values with these in their place, as Helm merges them."""
    flat = {name: value.default for name, value in VALUES.items()}
    return nested({**flat, "mesh": "acme", **values})


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_type_is_refused_with_the_path(name: str) -> None:
    """By Helm's own words for a few below; here by the same schema, without a process for each."""
    jsonschema.validate(given({}), SCHEMA)
    with pytest.raises(jsonschema.ValidationError) as refused:
        jsonschema.validate(given({name: wrong(VALUES[name])}), SCHEMA)
    assert ".".join(map(str, refused.value.absolute_path)) == name


@pytest.mark.parametrize(
    "name", sorted({*(name for name, value in VALUES.items() if not isinstance(value.default, list | dict)), *SECTIONS})
)
def test_a_value_that_is_set_to_null_is_missed_by_name(name: str) -> None:
    """Helm takes such a value out, and with it the default: a guard would be off without a word."""
    document = given({})
    *parents, last = name.split(".")
    section: dict[str, Any] = document
    for parent in parents:
        section = section[parent]
    del section[last]
    with pytest.raises(jsonschema.ValidationError, match=f"'{last}' is a required property"):
        jsonschema.validate(document, SCHEMA)


def sections(schema: dict[str, Any], path: str = "") -> list[str]:
    """Objects of the schema that take members that it does not name."""
    found = [path] if schema.get("type") == "object" and schema.get("additionalProperties") is not False else []
    members = schema.get("properties", {})
    return found + [inner for name, member in members.items() for inner in sections(member, f"{path}.{name}".lstrip("."))]


def test_only_maps_that_the_user_fills_take_any_member() -> None:
    free = set(sections(json.loads((CHART / "values.schema.json").read_text())))
    free = {name for name in free if not name.endswith(("resources.requests", "resources.limits"))}
    assert free == {
        "global", "podSecurityContext", "nodeSelector", "affinity", "commonLabels", "commonAnnotations", "podLabels", "podAnnotations",
        "serviceAccount.annotations", "metrics.service.annotations", "metrics.serviceMonitor.labels", "metrics.podMonitor.labels",
        "metrics.prometheusRule.labels", "metrics.dashboards.labels", "metrics.dashboards.annotations",
        "updateStrategy.rollingUpdate",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ("mesh=Big_Name", "/mesh", "'Big_Name' does not match pattern"),
        ("guard.enabled=null", "/guard", "missing property 'enabled'"),
        ("guard=null", "", "missing property 'guard'"),
        ("image.repository=https://registry/clouddatamesh", "/image/repository", "'https://registry/clouddatamesh' does not match pattern"),
        ("image.repository=registry/clouddatamesh:1.2", "/image/repository", "'registry/clouddatamesh:1.2' does not match pattern"),
        ("discover.groups={system:unauthenticated}", "/discover/groups/0", "'not' failed"),
        ("replicas=6", "/replicas", "maximum: got 6, want 5"),
        ("replicas=many", "/replicas", "got string, want integer"),
        ("typo=1", "", "additional properties 'typo' not allowed"),
        ("guard.port=true", "/guard", "additional properties 'port' not allowed"),
        ("image.digest=sha256:123", "/image/digest", "'sha256:123' does not match pattern"),
        ("log.level=loud", "/log/level", "value must be one of 'debug', 'info', 'warning', 'error'"),
        ("threads=0", "/threads", "minimum: got 0, want 1"),
        ("guard.enabled=maybe", "/guard/enabled", "got string, want boolean"),
        ("terminationGracePeriodSeconds=10", "/terminationGracePeriodSeconds", "minimum: got 10, want 25"),
        ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable", "minimum: got 0, want 1"),
        ("podDisruptionBudget.maxUnavailable=few", "/podDisruptionBudget/maxUnavailable", "'few' does not match pattern"),
        ("extraEnv[0].value=debug", "/extraEnv/0", "missing property 'name'"),
        ("extraEnv[0].name=LOG_LEVEL", "/extraEnv/0/name", "'not' failed"),
        ("extraVolumes[0].name=tmp", "/extraVolumes/0/name", "'not' failed"),
        ("uninstall.check=sometimes", "/uninstall/check", "value must be one of 'auto', 'always', 'wait', 'never'"),
        ("metrics.service.ipFamilies={IPv5}", "/metrics/service/ipFamilies/0", "value must be one of 'IPv4', 'IPv6'"),
        ("metrics.serviceMonitor.interval=often", "/metrics/serviceMonitor/interval", "'often' does not match pattern"),
        ("access.bindableRoles={cluster-admin}", "/access/bindableRoles/0", "'not' failed"),
        ("access.bindableRoles={my-role,admin}", "/access/bindableRoles/1", "'not' failed"),
        ("access.bindableRoles={clouddatamesh-secrets}", "/access/bindableRoles/0", "'not' failed"),
        ("access.bindableRoles={clouddatamesh-aggregate-admin}", "/access/bindableRoles/0", "'not' failed"),
        ("access.bindableRoles={clouddatamesh-uninstall}", "/access/bindableRoles/0", "'not' failed"),
        ("access.bindableRoles={system:node}", "/access/bindableRoles/0", "'not' failed"),
        ("access.bindableRoles={a'b}", "/access/bindableRoles/0", "'a\\'b' does not match pattern"),
        ("extraEnv[0].name=BINDABLE_ROLES", "/extraEnv/0/name", "'not' failed"),
        ("discover.groups=all", "/discover/groups", "got string, want array"),
        ("guard.breakGlassGroups={system:authenticated}", "/guard/breakGlassGroups/0", "'not' failed"),
    ],
)
def test_helm_says_which_value_is_wrong_and_why(value: str, path: str, words: str) -> None:
    done = helm("template", "x", str(CHART), "--set", "mesh=acme", "--set", value)
    assert done.returncode
    assert f"- at '{path}': {words}" in done.stderr


@pytest.mark.parametrize("value", ["image.repository=registry.example.com:5000/mesh/clouddatamesh", "image.repository=[::1]:5000/mesh",
                                   "enabled=true", "global.team=sales"])  # fmt: skip
def test_what_registries_and_parent_charts_need_is_taken(value: str) -> None:
    render_text(value)


def test_what_looks_like_a_number_is_written_as_text() -> None:
    done = helm("template", "123", str(CHART), "--namespace", "456", "--set", "mesh=acme", "--set", "access.bindableRoles={yes}")
    found = [document for document in yaml.safe_load_all(done.stdout) if document]
    (deployment,) = (one for one in found if one["kind"] == "Deployment")
    assert {one["metadata"].get("namespace", "456") for one in found} == {"456"}
    assert deployment["spec"]["selector"]["matchLabels"].get("app.kubernetes.io/instance", "123") == "123"
    variables = {one["name"]: one.get("value") for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert variables["BINDABLE_ROLES"] == "yes"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\n", "a: no comment says what it does"),
        ("# What it does.\na: null\n", "a: its default tells no type; write one that is not null"),
        ("# What it does.\na: []\n", "a: say by @schema what the list holds, as items"),
        ("# What it does.\na: {}\n", "a: say by @schema what the map holds, as properties or additionalProperties"),
        ("# What it does.\n\na: 1\n", "a: no comment says what it does"),
        ("a:\n  b: 1\n", "a.b: no comment says what it does"),
        ("- a\n", "values.yaml is no mapping"),
    ],
)
def test_a_value_that_says_too_little_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(Undescribed) as refused:
        values_schema(text)
    assert str(refused.value) == sentence
