"""What `clouddatamesh doctor` judges of CustomResourceDefinitions: state, versions, and which of CRD and program is older."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from clouddatamesh.api.kinds import KINDS
from clouddatamesh.doctor import crds
from clouddatamesh.generate.crds import build_crd
from tests.unit.doctor_scene import Server, a_subject, said, the_only

PRODUCT = next(kind for kind in KINDS if kind.kind == "DataProduct")


def installed() -> dict[str, Any]:
    """The CRD as the API server shows it once it serves it."""
    found = copy.deepcopy(build_crd(PRODUCT))
    conditions = [{"type": type_, "status": "True"} for type_ in ("NamesAccepted", "Established")]
    found["status"] = {"conditions": conditions, "storedVersions": ["v1alpha1"]}
    return found


def spec_of(crd: dict[str, Any]) -> dict[str, Any]:
    """The schema of the product's spec."""
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def judged(change: Callable[[dict[str, Any]], object]) -> list[str]:
    crd = installed()
    change(crd)
    return [one.what for one in crds.judge(PRODUCT, crd, subject=a_subject())]


def test_the_crds_of_this_version_are_sound() -> None:
    assert judged(lambda _: None) == []


def test_a_description_in_other_words_is_no_other_schema() -> None:
    assert judged(lambda crd: spec_of(crd).update(description="Other words")) == []
    assert judged(lambda crd: spec_of(crd)["properties"]["displayName"].update(description="Other words")) == []


def test_a_field_that_is_called_description_counts() -> None:
    (told,) = judged(lambda crd: spec_of(crd)["properties"].pop("description"))
    assert "It is not that of this program (0.1.0): it lacks spec.description" in told


def test_a_crd_that_lacks_fields_is_upgraded() -> None:
    crd = installed()
    del spec_of(crd)["properties"]["support"], spec_of(crd)["properties"]["suspend"]
    found = the_only(crds.judge(PRODUCT, crd, subject=a_subject()))
    assert found.object == "CustomResourceDefinition dataproducts.clouddatamesh.dev"
    assert found.what.startswith("It is not that of this program (0.1.0): it lacks spec.support, ")
    assert found.do.endswith("--set crds.enabled=true")


def rename(properties: dict[str, Any]) -> None:
    properties["owners"] = properties.pop("owner")


def widen(properties: dict[str, Any]) -> None:
    properties["displayName"]["maxLength"] = 512


def of_version(version: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    crd = installed()
    crd["metadata"]["labels"] = {"app.kubernetes.io/version": version}
    change(spec_of(crd)["properties"])
    return crd


@pytest.mark.parametrize("change", [rename, widen, lambda fields: fields.update(color={}), lambda fields: fields.pop("support")])
def test_a_crd_of_a_newer_version_is_left_to_the_doctor_of_that_version(change: Callable[[dict[str, Any]], object]) -> None:
    found = the_only(crds.judge(PRODUCT, of_version("0.2.0", change), subject=a_subject()))
    assert found.what == "It is of version 0.2.0, this program is 0.1.0"
    assert found.do == "Run the doctor of version 0.2.0 from its checkout or its image"


def test_an_operator_with_newer_crds_is_upgraded_by_the_chart_of_their_version() -> None:
    subject = a_subject()
    subject.installed = "0.1.0"
    found = the_only(crds.judge(PRODUCT, of_version("0.2.0", rename), subject=subject))
    assert found.do.startswith("Upgrade the operator with the chart of version 0.2.0, if that is to run; ")
    assert "helm" not in found.do


@pytest.mark.parametrize("change", [rename, lambda fields: fields.pop("support"), widen])
def test_a_crd_that_an_upgrade_left_behind_is_older_and_is_upgraded(change: Callable[[dict[str, Any]], object]) -> None:
    subject, crd = a_subject(), of_version("0.0.9", change)
    assert the_only(crds.judge(PRODUCT, crd, subject=subject)).do.startswith("Run the doctor of version 0.0.9"), "of the release"
    subject.installed = "0.1.0"
    found = the_only(crds.judge(PRODUCT, crd, subject=subject))
    assert found.what.startswith("It is older than this program (0.1.0): it")
    assert found.do.endswith("--set crds.enabled=true")


@pytest.mark.parametrize("version", ["", "0.1.0"])
def test_fields_that_somebody_added_are_not_removed_without_a_question(version: str) -> None:
    found = the_only(crds.judge(PRODUCT, of_version(version, rename), subject=a_subject()))
    assert found.what.startswith("It is not that of this program (0.1.0): it has spec.owners")
    assert " in addition and lacks spec.owner" in found.what
    assert found.do.startswith("Find out who installed it: kubectl get crd dataproducts.clouddatamesh.dev ")
    assert "drops their values; if nobody needs them: helm upgrade" in found.do


def test_a_limit_that_differs_is_told_with_its_place() -> None:
    told = judged(lambda crd: spec_of(crd)["properties"]["displayName"].update(maxLength=1))
    assert told == ["It is not that of this program (0.1.0): its schema differs at spec.displayName"]


def test_long_lists_of_fields_are_cut() -> None:
    (told,) = judged(lambda crd: spec_of(crd).update(properties={}))
    assert " more" in told
    assert len(told) < 400


def test_a_kind_without_a_crd_is_told() -> None:
    (found,) = crds.judge(PRODUCT, None, subject=a_subject())
    assert (found.what, found.do.split(" ")[:2]) == ("It does not exist", ["helm", "upgrade"])


def drop(type_: str) -> Callable[[dict[str, Any]], object]:
    def change(crd: dict[str, Any]) -> None:
        for one in crd["status"]["conditions"]:
            one.update({"status": "False", "message": "taken by another"} if one["type"] == type_ else {})

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (drop("Established"), "It is not Established"),
        (drop("NamesAccepted"), "It is not NamesAccepted"),
        (lambda crd: crd.pop("status"), "It is not NamesAccepted"),
        (lambda crd: crd["metadata"].update(deletionTimestamp="now"), "It is being deleted"),
        (lambda crd: crd["status"].update(storedVersions=["v1alpha1", "v1"]), "Its status.storedVersions has v1"),
        (lambda crd: crd["spec"]["versions"][0].update(served=False), "It does not serve v1alpha1"),
        (lambda crd: crd["spec"]["versions"][0].update(name="v1"), "It does not serve v1alpha1"),
    ],
)
def test_a_crd_that_does_not_serve_its_objects_is_told(change: Callable[[dict[str, Any]], object], told: str) -> None:
    assert judged(change) == [told]


def test_versions_of_different_schemas_need_a_conversion() -> None:
    def add(crd: dict[str, Any]) -> None:
        other = copy.deepcopy(crd["spec"]["versions"][0])
        crd["spec"]["versions"].append({**other, "name": "v1", "storage": False})

    def add_another(crd: dict[str, Any]) -> None:
        add(crd)
        del crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["support"]

    def convert(crd: dict[str, Any]) -> None:
        add_another(crd)
        crd["spec"]["conversion"] = {"strategy": "Webhook"}

    assert judged(add) == []
    assert judged(add_another) == ["It has versions of different schemas and no conversion"]
    assert judged(convert) == []


def test_every_kind_is_looked_at() -> None:
    assert len(said(crds.look(a_subject(Server())))) == len(KINDS)
