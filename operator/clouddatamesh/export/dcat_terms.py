"""Words of DCAT-AP: prefixes, and the lists of the European Union from which access rights, stages, languages and themes are taken."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from clouddatamesh.export.catalogue import custom
from clouddatamesh.export.iris import absolute, web
from clouddatamesh.model.objects import Manifest
from clouddatamesh.view.product import Port
from clouddatamesh.view.raw import text

Node = dict[str, Any]
CONTEXT: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_EU: Final = "http://publications.europa.eu/resource/authority/"
_IANA: Final = "http://www.iana.org/assignments/media-types/"
_RIGHTS: Final = {"public": "PUBLIC", "internal": "RESTRICTED", "confidential": "NON_PUBLIC", "restricted": "NON_PUBLIC"}
_MEDIA: Final = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xml": "application/xml",
}
_THEMES: Final = {
    "AGRI": "Agriculture, fisheries, forestry and food",
    "ECON": "Economy and finance",
    "EDUC": "Education, culture and sport",
    "ENER": "Energy",
    "ENVI": "Environment",
    "GOVE": "Government and public sector",
    "HEAL": "Health",
    "INTR": "International issues",
    "JUST": "Justice, legal system and public safety",
    "REGI": "Regions and cities",
    "SOCI": "Population and society",
    "TECH": "Science and technology",
    "TRAN": "Transport",
}
_LANGUAGES: Final[Mapping[str, str]] = dict(
    re.findall(
        r"(\w\w):(\w{3})",
        "bg:BUL cs:CES da:DAN de:DEU el:ELL en:ENG es:SPA et:EST fi:FIN fr:FRA ga:GLE hr:HRV hu:HUN it:ITA lt:LIT lv:LAV mt:MLT nl:NLD"
        " no:NOR pl:POL pt:POR ro:RON sk:SLK sl:SLV sv:SWE",
    )
)
"""Codes of two letters, and those of three by which the list knows them."""


def typed(iri: str, kind: str, **more: str) -> Node:
    """A thing of another list, with its type: a reader of the file needs no other file to know it."""
    return {"@id": iri, "@type": kind, **{name.replace("_", ":", 1): said for name, said in more.items()}}


def access_rights(product: Manifest) -> Node:
    """The classification in three levels; an unknown one is the strictest."""
    level = _RIGHTS.get(text(product, "spec", "classification") or "internal", "NON_PUBLIC")
    return typed(f"{_EU}access-right/{level}", "dcterms:RightsStatement")


def status(stage: str, *, deprecated: bool) -> Node:
    """The stage of a distribution. `stage` is one of those that are published."""
    word = "DEPRECATED" if deprecated else "DEVELOP" if stage == "draft" else "COMPLETED"
    return typed(f"{_EU}distribution-status/{word}", "skos:Concept", skos_prefLabel=word.capitalize())


def rights(port: Port, *, deprecated: bool) -> Node:
    """The terms of access as a sentence: no list has words for them."""
    if deprecated:
        said = "No new access is given."
    elif port.approval == "Auto":
        said = "Access is given on request, without a decision."
    else:
        said = "The product's team decides on each request for access."
    limit = f" It ends after {port.duration} at most." if port.duration else ""
    return {"@type": "dcterms:RightsStatement", "rdfs:label": f"{said}{limit} Modes: {', '.join(port.modes)}."}


def media_type(port: Port) -> Node | None:
    """The type that IANA has registered for a format, if it has."""
    known = _MEDIA.get(port.format.casefold())
    return typed(f"{_IANA}{known}", "dcterms:MediaType") if known else None


def file_format(port: Port) -> Node | None:
    """The format in the words of the product's team."""
    return {"@type": "dcterms:MediaTypeOrExtent", "rdfs:label": port.format} if port.format else None


def licence(product: Manifest) -> Node | None:
    """Of custom property `license`: a link, or a name as in SPDX's list."""
    said = next(iter((*custom(product, "license"), *custom(product, "licence"))), "")
    if not said:
        return None
    link = web(said) or (f"https://spdx.org/licenses/{said}" if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", said) else "")
    return typed(link, "dcterms:LicenseDocument") if link else {"@type": "dcterms:LicenseDocument", "rdfs:label": said}


def languages(product: Manifest) -> Iterator[Node]:
    """Of custom property `language`: codes of two or three letters, or links. Others are left out."""
    for said in custom(product, "language"):
        code = _LANGUAGES.get(said.casefold()[:2] if re.fullmatch(r"[A-Za-z]{2}(-\w+)?", said) else "", "")
        letters = code or (said.upper() if re.fullmatch(r"[A-Za-z]{3}", said) else "")
        link = f"{_EU}language/{letters}" if letters else web(said)
        if link:
            yield typed(link, "dcterms:LinguisticSystem")


def themes(product: Manifest) -> Iterator[Node]:
    """Of custom property `theme`: codes of the list `data-theme`, or links."""
    for said in custom(product, "theme"):
        link = f"{_EU}data-theme/{said.upper()}" if said.upper() in _THEMES else web(said)
        if link:
            word = link.rstrip("/").rsplit("/", maxsplit=1)[-1]
            yield typed(link, "skos:Concept", skos_prefLabel=_THEMES.get(word, word))


def standard(contract: str) -> Node | None:
    """The data contract that a dataset keeps, by its identifier."""
    if not contract:
        return None
    link = absolute(contract)
    return {**({"@id": link} if link else {}), "@type": "dcterms:Standard", "dcterms:identifier": contract}
