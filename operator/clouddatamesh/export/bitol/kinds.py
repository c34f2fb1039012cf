"""Which standard a document is of, and what to do with those that are not read."""

from collections.abc import Mapping
from typing import Any, Final

from clouddatamesh.api.fields import GROUP
from clouddatamesh.export.bitol.values import Wrong

_ODPS: Final = ("v0.9.0", "v1.0.0", "v1.1.0")
_CONVERT: Final = "convert it with `datacontract import` and `datacontract export` of datacontract-cli, and import the result"
_OTHERS: Final = {
    "dataContractSpecification": f"It is a Data Contract Specification, which has ended; {_CONVERT}",
    "dataProductSpecification": "It is a Data Product Specification, which has ended; write it as ODPS 1.1.0",
    "dpds": "It is a DPDS descriptor, which is not read; write it as ODPS 1.1.0",
    "product": "It is an ODPI document, which is not read; write it as ODPS 1.1.0",
}


def standard_of(document: Any) -> str:
    """`odps` or `odcs`. Raises Wrong with the way out."""
    if not isinstance(document, Mapping):
        raise Wrong("It is no object; a descriptor begins with apiVersion and kind")
    for name, advice in _OTHERS.items():
        if name in document:
            raise Wrong(advice)
    kind, version = document.get("kind"), document.get("apiVersion")
    if isinstance(version, str) and version.startswith(f"{GROUP}/"):
        raise Wrong("It is a manifest already; apply it with kubectl")
    if kind == "DataProduct" and version in _ODPS:
        return "odps"
    if kind == "DataContract" and isinstance(version, str) and version.startswith("v3."):
        return "odcs"
    if kind == "DataContract" and isinstance(version, str) and version.startswith("v2."):
        raise Wrong(f"It is ODCS {version[:20]}, and 3.x is read; {_CONVERT}")
    raise Wrong(f"Its kind is {kind!r:.40} and its apiVersion {version!r:.40}; ODPS ({', '.join(_ODPS)}) and ODCS (v3.x) are read")
