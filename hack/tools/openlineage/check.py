"""Builds events with OpenLineage's own client and prints what it would send: one JSON object a line in, one a line out.

It runs in the venv `catalogues`, which has the client. An unknown field, a facet that the client does not know in that version, or a time
that is none is an error.
"""

import importlib
import json
import pkgutil
import sys
from typing import Any

from openlineage.client import event_v2, generated
from openlineage.client.serde import Serde

_NESTED = {"owners": "Owner", "identifiers": "Identifier", "tags": "TagsDatasetFacetFields"}


def find_facets() -> dict[str, tuple[Any, Any]]:
    """The module and the class of each facet, by the address of its schema."""
    modules = [importlib.import_module(f"{generated.__name__}.{found.name}") for found in pkgutil.iter_modules(generated.__path__)]
    return {known._get_schema(): (module, known) for module in modules for known in vars(module).values() if hasattr(known, "_get_schema")}


FACETS = find_facets()


def build_facet(facet: dict[str, Any]) -> Any:
    module, known = FACETS[facet["_schemaURL"]]
    fields = {name: said for name, said in facet.items() if not name.startswith("_")}
    built = {
        name: [getattr(module, _NESTED[name])(**entry) for entry in said] if name in _NESTED else said for name, said in fields.items()
    }
    return known(producer=facet["_producer"], **built)


def build_named(known: Any, body: dict[str, Any]) -> Any:
    facets = {name: build_facet(facet) for name, facet in body.get("facets", {}).items()}
    return known(**{**body, "facets": facets})


def build_event(event: dict[str, Any]) -> Any:
    given = {name: said for name, said in event.items() if name != "schemaURL"}
    if event["schemaURL"] == event_v2.DatasetEvent._get_schema():
        return event_v2.DatasetEvent(**{**given, "dataset": build_named(event_v2.StaticDataset, event["dataset"])})
    if event["schemaURL"] != event_v2.JobEvent._get_schema():
        raise ValueError(f"{event['schemaURL']} is neither a DatasetEvent nor a JobEvent")
    sides = {"inputs": event_v2.InputDataset, "outputs": event_v2.OutputDataset}
    listed = {side: [build_named(known, body) for body in event[side]] for side, known in sides.items()}
    return event_v2.JobEvent(**{**given, "job": build_named(event_v2.Job, event["job"]), **listed})


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(Serde.to_dict(build_event(json.loads(line)))) + "\n")
