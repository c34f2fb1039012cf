"""CustomResourceDefinitions from the registry of kinds."""

from typing import Any, Final

import yaml

from clouddatamesh.api.fields import GROUP
from clouddatamesh.api.kinds import KINDS, Column, Kind
from clouddatamesh.generate.schema import build_schema

CATEGORY: Final = "datamesh"
_HEADER: Final = "# Generated from operator/clouddatamesh/api by `make generate`; do not edit.\n"


def build_crd(kind: Kind) -> dict[str, Any]:
    """The CRD of one kind."""
    names = {
        "categories": [CATEGORY],
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "shortNames": list(kind.short_names),
        "singular": kind.singular,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": kind.scope,
            "versions": [_build_version(kind, version) for version in kind.versions],
        },
    }


def _build_version(kind: Kind, version: str) -> dict[str, Any]:
    return {
        "additionalPrinterColumns": [_build_column(column) for column in kind.columns],
        "name": version,
        "schema": {"openAPIV3Schema": _build_root(kind)},
        "served": True,
        "storage": version == kind.versions[-1],
        "subresources": {"status": {}},
    }


def _build_column(column: Column) -> dict[str, Any]:
    built: dict[str, Any] = {"jsonPath": column.path, "name": column.name, "type": column.type}
    return {**built, "priority": column.priority} if column.priority else built


def _build_root(kind: Kind) -> dict[str, Any]:
    fields = kind.model.model_fields
    asks = {"spec": {**build_schema(_model_of(fields["spec"].annotation)), "description": "What is asked for."}} if "spec" in fields else {}
    status = _undefaulted(build_schema(_model_of(fields["status"].annotation)))
    status["default"] = kind.initial_status
    status["properties"]["conditions"].update({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]})
    root: dict[str, Any] = {
        "description": kind.description,
        "type": "object",
        **({"required": ["spec"]} if asks else {}),
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of this representation. Example: clouddatamesh.dev/v1alpha1."},
            "kind": {"type": "string", "description": f"Kind of this object. Example: {kind.kind}."},
            "metadata": {"type": "object"},
            **asks,
            "status": {**status, "description": "What was found; written by the operator alone."},
        },
    }
    if kind.model.RULES:
        root["x-kubernetes-validations"] = [rule.as_schema() for rule in kind.model.RULES]
    return root


def _undefaulted(schema: Any) -> Any:
    """A schema without defaults: in a status they would differ from what was written for ever, and be written again at each look."""
    if isinstance(schema, dict):
        properties = {name: _undefaulted(value) for name, value in schema.get("properties", {}).items()}
        rest = {name: _undefaulted(value) for name, value in schema.items() if name not in ("default", "properties")}
        return {**rest, "properties": properties} if properties else rest
    return [_undefaulted(item) for item in schema] if isinstance(schema, list) else schema


def _model_of(annotation: Any) -> Any:
    return annotation


class _Dumper(yaml.SafeDumper):
    """Without anchors: the API server's tools and people read the file."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml's
        return True


def dump(document: Any) -> str:
    """YAML as the generated files hold it."""
    return _HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=140, allow_unicode=True)


def crd_files() -> dict[str, str]:
    """File name -> text, one per kind."""
    return {f"{GROUP}_{kind.plural}.yaml": dump(build_crd(kind)) for kind in KINDS}
