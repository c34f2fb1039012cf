"""Contract ids and the ports of the mesh that name them: only ports that the reader sees, and only where no other port has the id."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from clouddatamesh.model.objects import key_of
from clouddatamesh.view.mesh import Mesh
from clouddatamesh.view.raw import entries, text

Ports: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The `from` of an input by contract id."""


def ports_by_contract(mesh: Mesh) -> Ports:
    """All ids that exactly one output port of the mesh has."""
    found: dict[str, list[dict[str, Any]]] = {}
    for product in mesh.all("DataProduct"):
        key = key_of(product)
        for port in entries(product, "spec", "outputPorts"):
            if contract := text(port, "contractId"):
                place = {"name": text(port, "name"), "version": text(port, "version")}
                found.setdefault(contract, []).append({"namespace": key.namespace, "dataProduct": key.name, "outputPort": place})
    return {contract: ports[0] for contract, ports in found.items() if len(ports) == 1}
