"""An ODPS document to a DataProduct, and to the ConfigMaps that keep the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from clouddatamesh.export.bitol import kept, making, odps
from clouddatamesh.export.bitol.contract_import import Port, keep_contract
from clouddatamesh.export.bitol.facts import spec_of
from clouddatamesh.export.bitol.making import Made, Settings
from clouddatamesh.export.bitol.mapping import read_object
from clouddatamesh.export.bitol.places import place_of, port_of
from clouddatamesh.export.bitol.present import check_identity, check_stage, store_of, with_terms
from clouddatamesh.export.bitol.product_table import PRODUCT, is_external, port_mark
from clouddatamesh.export.bitol.report import Entry, Report, changed, error, mapped
from clouddatamesh.export.bitol.report import kept as keeps
from clouddatamesh.export.bitol.values import Node
from clouddatamesh.export.bitol.versions import to_1_1
from clouddatamesh.model.objects import Key
from clouddatamesh.plan.access.facts import major

_NEWEST: Final = "v1.1.0"


def read(document: Node, contracts: Sequence[Node], settings: Settings) -> Made:
    """The product, and of the contracts those that its ports name."""
    whole = {name: value for name, value in to_1_1(document).items() if name not in ("apiVersion", "kind")}
    part = read_object(whole, "$", PRODUCT)
    rest, around = _around(dict(part.rest), settings)
    key, notes = _key(part.ours, document, settings)
    report: Report = (*_standard(document), *notes, *(entry for entry in part.report if entry.path not in around), *around.values())
    facts, inputs = _resolved(part.ours, settings)
    ports, found = _placed(facts.get("ports") or (), contracts, key)
    present = settings.present.get(key.name)
    report = (*_in_other_systems(report, ports), *inputs, *check_stage(facts.get("lifecycle"), present))
    ports, stays = with_terms(ports, present)
    report = (*report, *stays, *check_identity(document.get("id"), present))
    made = making.product(key, spec_of({**facts, "ports": ports}, key), store_of(present, settings.store))
    made |= making.with_rest(kept.key_of_product(key), "odps", rest, report)
    for place, (port, told) in found.items():
        contract = keep_contract(contracts[place], Port(key, port["name"], port["version"]), told)
        made |= Made(contract.manifests, (), {place: contract.report})
    return made


def _standard(document: Node) -> Report:
    version = document.get("apiVersion")
    said = changed("$.apiVersion", "", f"{version} is exported as {_NEWEST} unless --odps-version says otherwise")
    return (mapped("$.apiVersion", "") if version == _NEWEST else said, mapped("$.kind", "kind"))


def _key(facts: Node, document: Node, settings: Settings) -> tuple[Key, Report]:
    """The name that we exported, else one that is made of theirs; in the namespace that the user chose."""
    place = facts.get("namespace")
    moved = f"Namespace {place} became {settings.namespace}"
    notes = (changed("$.customProperties", "metadata.namespace", moved),) if place not in (None, settings.namespace) else ()
    own = facts.get("name")
    if own is not None and own not in settings.taken:
        return Key("DataProduct", settings.namespace, str(own)), notes
    name, told = making.name_for(own or document.get("name"), document.get("id"), settings.taken)
    return Key("DataProduct", settings.namespace, name), (*notes, *told)


def _around(rest: dict[str, Any], settings: Settings) -> tuple[dict[str, Any], dict[str, Entry]]:
    """The domain is that of the namespace. It is compared where it is known, and kept as it is spelled."""
    said, path = rest.get("domain"), "$.domain"
    if said is None or settings.domain is None:
        return rest, {path: keeps(path, "The namespace decides; it was not compared with its Domain")} if said is not None else {}
    own = settings.domain["metadata"]["name"]
    if said == own:
        return {name: value for name, value in rest.items() if name != "domain"}, {path: mapped(path, "metadata.namespace")}
    if odps.means(said, settings.domain):
        return rest, {path: keeps(path, f"It is the Domain {own} of the namespace")}
    wrong = f"Namespace {settings.namespace} belongs to Domain {own}, not to {str(said)[:60]}; name a namespace of that Domain with -n"
    return rest, {path: keeps(path, wrong) if settings.lenient else error(path, f"{wrong}, or use --lenient")}


def _resolved(facts: Node, settings: Settings) -> tuple[dict[str, Any], Report]:
    """Inputs whose contract exactly one port of the mesh has."""
    inputs, report = [], []
    for port in facts.get("inputPorts") or ():
        source = settings.contracts.get(str(port.get("contractId"))) if not {"from", "external"} & set(port) else None
        inputs.append({**port, "from": source} if source else port)
        if source:
            place = f"{source['namespace']}/{source['dataProduct']} {source['outputPort']['name']}/{source['outputPort']['version']}"
            report.append(
                changed(
                    f"$.inputPorts[?(@.contractId=='{port['contractId']}')]",
                    f"inputPorts[{port['name']}].from",
                    f"Contract {port['contractId']} is that of {place}",
                )
            )
    return {**facts, **({"inputPorts": inputs} if inputs else {})}, tuple(report)


Found = Mapping[int, tuple[Node, Report]]
"""A port and the report of its contract, by the contract's place in the list given."""


def _placed(ports: Sequence[Node], contracts: Sequence[Node], key: Key) -> tuple[Sequence[Node], Found]:
    """Ports with the path, the format or the location that their contracts name. What the document says itself wins."""
    placed: list[Node] = []
    found: dict[int, tuple[Node, Report]] = {}
    for port in ports:
        at = next((at for at, contract in enumerate(contracts) if at not in found and _is_of(contract, port, key)), None)
        if at is None:
            placed.append(port)
            continue
        place = place_of(contracts[at])
        told = {"path": place.path, "format": place.format, "location": "" if port.get("path") else place.location}
        placed.append({**{name: value for name, value in told.items() if value}, **port})
        found[at] = (port, (mapped("$.id", f"outputPorts[{port['name']}/{port['version']}].contractId"), *place.report))
    return placed, found


def _in_other_systems(report: Report, ports: Sequence[Node]) -> Report:
    """The report with the ports that became external ones, each with a line that says so."""
    marks = {f"outputPorts[{port_mark(port)}]": port for port in ports if is_external(port)}
    told: dict[str, Entry] = {}
    for entry in report:
        mark, dot, name = entry.target.partition("].")
        port = marks.get(f"{mark}]") if dot else None
        if port is None:
            told[f"{entry.path} {entry.verdict} {entry.message}"] = entry
            continue
        path = entry.path[: entry.path.index("]") + 1]
        why = f"Its data is in another system ({port.get('type', 'another type')}): for documentation only, nobody can request access"
        told.setdefault(path, changed(path, "externalPorts", why))
        told[f"{entry.path} {entry.target}"] = replace(entry, target=f"externalPorts[{port_mark(port)}].{name}")
    return tuple(told.values())


def _is_of(contract: Node, port: Node, key: Key) -> bool:
    """Whether a contract is the one that a port names, of its major version where there are several; or that we wrote for it."""
    if port.get("contractId") is not None:
        return bool(contract.get("id") == port["contractId"])
    told = port_of(contract).split("/")
    return len(told) == 4 and told[1:3] == [key.name, port["name"]] and major(told[3]) == major(port["version"])
