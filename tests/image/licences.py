"""Which licences a dependency may have, as its own metadata names them."""

from collections.abc import Iterable, Mapping
from typing import Any

_OSI = "License :: OSI Approved :: "
_SPDX = ("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib")
_EXPRESSIONS = ("Apache-2.0 AND BSD-2-Clause", "Apache-2.0 AND MIT", "Apache-2.0 OR BSD-3-Clause")
_CLASSIFIERS = ("Apache Software License", "BSD License", "MIT License", "ISC License (ISCL)", "Python Software Foundation License")
_NAMES = ("3-Clause BSD License",)
PERMISSIVE = frozenset({*_SPDX, *_EXPRESSIONS, *_NAMES, *(_OSI + name for name in _CLASSIFIERS)})
"""SPDX names, and classifiers and names of packages that have no SPDX name yet. None asks anything of the source of what uses it."""
OTHERS: Mapping[str, frozenset[str]] = {
    # Mozilla's list of certificates: the licence asks to publish changes of these files, and nobody changes them here.
    "certifi": frozenset({"MPL-2.0", f"{_OSI}Mozilla Public License 2.0 (MPL 2.0)"}),
    # BSD-3-Clause by its own metadata, under a name from which the list makes nothing.
    "protobuf": frozenset(),
}


def names_of(component: Mapping[str, Any]) -> set[str]:
    """All licences that a component of a CycloneDX list has."""
    found = [{**entry, **entry.get("license", {})} for entry in component.get("licenses", ())]
    return {entry.get("expression") or entry.get("id") or entry.get("name") or "" for entry in found}


def refused(components: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Components without a licence, or with one that is not listed above."""
    found = {component["name"]: names_of(component) for component in components}
    untold = {name for name, names in found.items() if not names and name not in OTHERS}
    return {name: names for name, names in found.items() if name in untold or names - PERMISSIVE - OTHERS.get(name, frozenset())}
