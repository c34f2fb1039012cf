"""What both importers make: a DataProduct that our own rules accept, a name for it, and the ConfigMap with the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.api.v1alpha1.dataproduct import DataProduct
from clouddatamesh.export.bitol import kept
from clouddatamesh.export.bitol.contracts import Ports
from clouddatamesh.export.bitol.present import Present
from clouddatamesh.export.bitol.report import Entry, Report, Verdict, changed, error, lost
from clouddatamesh.export.bitol.values import Node, Unfit, Wrong, label, sentence, slug
from clouddatamesh.model.objects import Key, Manifest
from clouddatamesh.plan.names import hash80

_TOO_LARGE: Final = (
    f"What no field holds is larger than the {kept.MOST_KEPT:,} characters of JSON that are kept; leave the file in Git, and link to it in"
    " authoritativeDefinitions"
)


@dataclass(frozen=True)
class Made:
    """`contracts` are the reports of the contracts that belong to its ports, by their place in the list given."""

    manifests: tuple[dict[str, Any], ...] = ()
    report: Report = ()
    contracts: Mapping[int, Report] = field(default_factory=dict)

    def __or__(self, other: "Made") -> "Made":
        return Made((*self.manifests, *other.manifests), (*self.report, *other.report), {**self.contracts, **other.contracts})


@dataclass(frozen=True)
class Settings:
    """Where the product goes, and what the cluster knows of its place."""

    namespace: str
    store: str
    domain: Manifest | None = None
    contracts: Ports = field(default_factory=dict)
    lenient: bool = False
    present: Present = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    """Names of products that the same command makes."""


def product(key: Key, spec: Node, store: str) -> Made:
    """The manifest, and the errors that the API server would find in it."""
    manifest = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "DataProduct",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {**spec, "storage": {"storeRef": {"name": store}}},
    }
    return Made((manifest,), tuple(_faults(manifest)))


def _faults(manifest: Node) -> Iterator[Entry]:
    try:
        DataProduct.model_validate(manifest)
    except ValidationError as invalid:
        yield error("$", f"It makes a DataProduct that is not valid: {sentence(invalid)}")
        return
    spec = manifest["spec"]
    ports = spec.get("outputPorts", ())
    level = spec.get("classification", "internal")
    if (level not in ("public", "internal") or spec.get("personalData")) and any("sample" in port for port in ports):
        yield error("$.outputPorts", "A sample would show data that is confidential, restricted or personal; remove it")
    named = [f"{port['name']}/{port['version']}" for port in ports]
    for at, port in enumerate(ports):
        for place, other in enumerate(ports):
            if at != place and other["path"].startswith(port["path"]):
                yield error(
                    "$.outputPorts",
                    f"The paths of {named[at]} and {named[place]} overlap; give each its own, or import without the contracts",
                )
                return


def name_for(said: Any, identity: Any, taken: frozenset[str]) -> tuple[str, Report]:
    """`metadata.name` of a display name, else of an id. A hash of the id is added only where the name is taken."""
    source = said if isinstance(said, str) and said else identity
    path = "$.name" if source is said else "$.id"
    try:
        name = str(label(source, {}))
    except (Unfit, Wrong) as wrong:
        return "unnamed", (error(path, f"No name of an object can be made of it: {wrong}"),)
    if name in taken:
        name = f"{slug(name, 54)}-{hash80('product', str(identity))[:8]}"
    note = (changed(path, "metadata.name", f"{name} is the name of the object"),) if name != source else ()
    return name, note


def with_rest(key: Key, standard: str, rest: Any, report: Report) -> Made:
    """The ConfigMaps and the report; where the rest is too large, what was to be kept is lost."""
    if not rest:
        return Made((), report)
    config_maps = kept.keep(key, standard, rest)
    if config_maps:
        return Made(config_maps, report)
    gone = tuple(
        replace(one, verdict=Verdict.LOST, message="Too large to be kept") if one.verdict is Verdict.KEPT else one for one in report
    )
    return Made((), (*gone, lost("$", _TOO_LARGE)))
