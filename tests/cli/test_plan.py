"""`plan` as a program: it reads, asks the API server, and writes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clouddatamesh.cli import app as application
from tests.cli.conftest import DAILY, Run
from tests.support.installation import ROOT
from tests.support.manifests import a_domain, a_grant, a_product, a_request
from tests.support.served import Served


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def write(*manifests: Any) -> str:
    Path("mesh.yaml").write_text(yaml.safe_dump_all(manifests, sort_keys=False))
    return "mesh.yaml"


ORDERS = a_product("orders", "sales", tags=["finance"], outputPorts=[DAILY])


def test_what_is_applied_already_changes_nothing(run: Run, served: Served) -> None:
    assert run("plan", write(ORDERS, a_domain("sales"))) == ""
    assert run("plan", "mesh.yaml", "-o", "name") == ""
    assert {query for method, *query in served.written if method == "GET"} == set()


def test_nothing_is_written(run: Run, served: Served) -> None:
    before = json.dumps(sorted((str(key), found) for key, found in served.objects.items()), default=str)
    run("plan", write({**ORDERS, "spec": {**ORDERS["spec"], "lifecycle": "deprecated"}}, a_product("returns", "sales"), a_request()))
    assert json.dumps(sorted((str(key), found) for key, found in served.objects.items()), default=str) == before


def test_a_change_and_a_new_object(run: Run) -> None:
    said = run("plan", write({**ORDERS, "spec": {**ORDERS["spec"], "lifecycle": "retired"}}, a_product("returns", "sales")))
    assert "DataProduct sales/orders  change" in said
    assert "~ change  spec.lifecycle: active -> retired" in said
    assert "- take    the access of all 0 consumers" in said
    assert "DataProduct sales/returns  create" in said
    assert "+ make    a bucket in store main" in said
    assert run("plan", "mesh.yaml", "-o", "name").split() == ["dp/sales/orders", "dp/sales/returns"]
    items = json.loads(run("plan", "mesh.yaml", "-o", "json"))["items"]
    assert [(item["key"]["name"], item["action"]) for item in items] == [("orders", "change"), ("returns", "create")]
    assert yaml.safe_load(run("plan", "mesh.yaml", "-o", "yaml"))["items"] == items


def test_an_order_by_annotation_is_shown(run: Run) -> None:
    ordered = {**ORDERS, "metadata": {**ORDERS["metadata"], "annotations": {"clouddatamesh.dev/cut-off": "daily/1.0.0", "team": "x"}}}
    said = run("plan", write(ordered))
    assert "- take    annotation clouddatamesh.dev/cut-off: daily/1.0.0" in said
    assert "team" not in said


def test_what_a_deletion_takes(run: Run) -> None:
    said = run("plan", "--delete", write(ORDERS, a_product("never", "sales")))
    assert "DataProduct sales/orders  delete" in said
    assert "is released; data stays" in said
    assert "never" not in said


def test_a_pipeline_can_stop_where_something_is_taken(run: Run) -> None:
    file = write({**ORDERS, "spec": {**ORDERS["spec"], "lifecycle": "retired"}})
    assert "take" in run("plan", file, "--exit-code", code=3)
    assert run("plan", write(a_product("returns", "sales")), "--exit-code")


def test_the_api_servers_refusal_is_shown_and_fails(run: Run, served: Served) -> None:
    path = "/apis/clouddatamesh.dev/v1alpha1/namespaces/sales/dataproducts"
    served.answers = {path: (422, "spec.outputPorts: too much"), f"{path}/orders": (403, 'User "kim" cannot update resource')}
    said = run("plan", write(a_product("returns", "sales"), ORDERS), code=1)
    assert "DataProduct sales/returns  refused: spec.outputPorts: too much" in said
    assert "DataProduct sales/orders  refused: You may not change DataProduct sales/orders" in said
    assert "The API server refuses some of it" in said


def test_a_namespace_that_comes_with_its_domain(run: Run, served: Served) -> None:
    served.answers = {"/apis/clouddatamesh.dev/v1alpha1/namespaces/shop/dataproducts": (404, 'namespaces "shop" not found')}
    said = run("plan", write(a_domain("shop"), a_product("carts", "shop")))
    assert "DataProduct shop/carts  create" in said
    assert 'namespaces "shop" not found' in run("plan", write(a_product("carts", "shop")), code=1)


def test_what_may_not_be_read_is_no_new_object(run: Run, served: Served) -> None:
    served.refused = frozenset({"DataProduct"})
    assert "You may not read DataProduct sales/orders, so what would become of it cannot be said" in run("plan", write(ORDERS), code=1)


def test_what_the_cluster_has_is_for_the_api_server_to_judge(run: Run, served: Served) -> None:
    """Values that an older schema took stay allowed where they do not change; and whoever deletes needs no right values."""
    odd = {**ORDERS, "spec": {**ORDERS["spec"], "lifecycle": "live"}}
    assert "spec.lifecycle: active -> live" in run("plan", write(odd))
    assert "DataProduct sales/orders  delete" in run("plan", "--delete", write(odd))
    assert "Unsupported value" in run("plan", write({**odd, "metadata": {"name": "fresh", "namespace": "sales"}}), code=1)
    del served


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}}


def test_what_is_left_out_is_said(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    said = run("plan", "--delete", write(NAMESPACE))
    assert "Namespace sales  delete" in said
    assert "everything in it: products, requests, grants and Secrets" in said
    assert "take" in run("plan", "--delete", "mesh.yaml", "--exit-code", code=3)
    assert "The files hold no manifest of this project" in run("plan", "mesh.yaml", code=2)
    denial = a_grant("no", "sales", decision="Deny", validUntil=None)
    for list_ in (
        {"items": [denial]},
        {"apiVersion": "v1", "kind": "Whatever", "items": [denial]},
        {
            "apiVersion": denial["apiVersion"],
            "kind": "AccessGrantList",
            "items": [{"metadata": denial["metadata"], "spec": denial["spec"]}],
        },
    ):
        assert "- take" in run("plan", write(list_))
    del capfd


def test_a_name_that_is_to_be_made_cannot_be_applied(run: Run) -> None:
    unnamed = {**ORDERS, "metadata": {"generateName": "x-", "namespace": "sales"}}
    assert "needs metadata.name in place of generateName" in run("plan", write(unnamed), code=2)


def test_an_order_that_kubectl_takes_back(run: Run, served: Served) -> None:
    cut = "clouddatamesh.dev/cut-off"
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"metadata": {"annotations": {cut: "daily/1.0.0"}}})}
    served.mesh.apply({**ORDERS, "metadata": {**ORDERS["metadata"], "annotations": {cut: "daily/1.0.0", **applied}}}).settle()
    assert f"> give    annotation {cut} is removed, it was daily/1.0.0" in run("plan", write(ORDERS))


def test_wrong_files_are_said_before_anything_is_asked(run: Run, served: Served) -> None:
    wrong = a_product("fresh", "sales", lifecycle="live")
    said = run("plan", write(wrong), code=1)
    assert "mesh.yaml:" in said
    assert "1 errors in the files; correct them first" in said
    assert served.written == []


def test_an_answer_names_who_gets_what(run: Run) -> None:
    run("request", "sales/orders", "--purpose", "x", "--for", "forecast", "--name", "r")
    grant = a_grant("answer", "sales", requestRef={"namespace": "inventory", "name": "r"})
    assert "> give    product inventory/forecast gets ReadOnly on orders daily until" in run("plan", write(grant))


def test_the_retail_mesh_is_planned_whole(run: Run) -> None:
    said = run("plan", str(ROOT / "examples" / "retail"), "-o", "json")
    assert len(json.loads(said)["items"]) > 10


def test_subfolders_are_read_as_kubectl_reads_them(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    Path("all/below").mkdir(parents=True)
    Path("all/below/mesh.yaml").write_text(yaml.safe_dump(a_product("returns", "sales")))
    assert "-R reads its subfolders, which have 1" in run("plan", "all", code=2)
    Path("all/mesh.yaml").write_text(yaml.safe_dump(ORDERS))
    assert run("plan", "all", "-o", "name") == ""
    assert run("plan", "all", "-R", "-o", "name").split() == ["dp/sales/returns"]
    assert run("check", "all")
    del capfd


def test_errors_are_not_among_data(run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = write({**ORDERS, "spec": {**ORDERS["spec"], "lifecycle": "live"}, "metadata": {"name": "new", "namespace": "sales"}})
    monkeypatch.setattr("sys.argv", ["kubectl-mesh", "plan", wrong, "-o", "json"])
    with pytest.raises(SystemExit):
        application.main()
    said = capfd.readouterr()
    assert said.out == ""
    assert "spec.lifecycle" in said.err
    assert "spec.lifecycle" in run("plan", wrong, code=1)
