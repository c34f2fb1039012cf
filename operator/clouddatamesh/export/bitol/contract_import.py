"""An ODCS document: next to a product, as the contract of a port, or as a product with one port. Its text is kept as it is."""

from dataclasses import dataclass
from typing import Any, Final

from clouddatamesh.export.bitol import kept, making
from clouddatamesh.export.bitol.facts import spec_of
from clouddatamesh.export.bitol.making import Made, Settings
from clouddatamesh.export.bitol.mapping import Field, Nested, Words, read_object
from clouddatamesh.export.bitol.places import place_of
from clouddatamesh.export.bitol.present import check_identity, check_stage, store_of, with_terms
from clouddatamesh.export.bitol.product_table import CHANNELS, CONTRACT_ID, DEFINITIONS, DESCRIPTION
from clouddatamesh.export.bitol.report import Report, error, mapped
from clouddatamesh.export.bitol.report import kept as keeps
from clouddatamesh.export.bitol.team import TEAM
from clouddatamesh.export.bitol.values import Node, Wrong, label, lifecycle, text, version
from clouddatamesh.model.objects import Key

_CONSTANT: Final = ("apiVersion", "kind", "id")
_TABLE: Final = (
    Field("name", "displayName", text(256, least=1)),
    Field("version", "version", version, absent="1.0.0"),
    Field("status", "lifecycle", lifecycle, absent="proposed"),
    Nested("description", "description", DESCRIPTION),
    Words("tags", "tags", 64),
    DEFINITIONS,
    CHANNELS,
    TEAM,
)


@dataclass(frozen=True)
class Port:
    """A port of a product that is there already."""

    product: Key
    name: str
    version: str
    contract_id: str = ""


def keep_contract(contract: Node, port: Port, report: Report) -> Made:
    """The ConfigMap with the whole contract of a port."""
    told = {entry.path.split(".")[1].split("[")[0] for entry in report if entry.path.startswith("$.")}
    others = tuple(keeps(f"$.{name}", "The contract is kept as it is") for name in contract if name not in told)
    return making.with_rest(kept.key_of_port(port.product, port.name, port.version), "odcs", dict(contract), (*report, *others))


def into_port(contract: Node, port: Port) -> Made:
    """Only the ConfigMap of a port of a product."""
    identity = contract.get("id")
    if port.contract_id and port.contract_id != identity:
        said = f"Port {port.name}/{port.version} has the contract {port.contract_id}; name the port of this contract, or change contractId"
        return Made((), (error("$.id", said),))
    return keep_contract(contract, port, (mapped("$.id", f"outputPorts[{port.name}].contractId"),))


def as_product(contract: Node, settings: Settings) -> Made:
    """A product with one port, whose contract this is."""
    part = read_object({name: value for name, value in contract.items() if name not in _CONSTANT}, "$", _TABLE)
    name, notes = making.name_for(contract.get("name"), contract.get("id"), settings.taken)
    key = Key("DataProduct", settings.namespace, name)
    port, port_report = _port(contract, str(part.ours.get("version", "1.0.0")), name)
    present = settings.present.get(name)
    ports, stays = with_terms([port], present)
    facts = {field: value for field, value in part.ours.items() if field != "version"} | {"ports": ports}
    made = making.product(key, spec_of(facts, key), store_of(present, settings.store))
    told = (
        *notes,
        *check_stage(facts.get("lifecycle"), present),
        *check_identity(contract.get("id"), present),
        *stays,
        *port_report,
        *(entry for entry in part.report if entry.path != "$.servers"),
    )
    return made | keep_contract(contract, Port(key, port["name"], port["version"]), told)


def _port(contract: Node, of_version: str, product: str) -> tuple[dict[str, Any], Report]:
    place = place_of(contract)
    identity = read_object({"id": contract.get("id")}, "$", (Field("id", "contractId", CONTRACT_ID),))
    report = (mapped("$.id", "outputPorts[0].contractId") if identity.ours else error("$.id", _NO_ID), *place.report)
    told = {"path": place.path, "format": place.format, "location": place.location, "type": place.type}
    port = {"name": _port_name(contract, product), "version": of_version, **{name: value for name, value in told.items() if value}}
    return {**port, **identity.ours}, report


def _port_name(contract: Node, product: str) -> str:
    try:
        return str(label(contract.get("name") or product, {}))
    except Wrong:
        return product


_NO_ID: Final = "The id has to be a text of 1 to 256 visible characters; write one"
