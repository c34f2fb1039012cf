"""Identifiers and links that are valid wherever they come from: of the mesh, by one scheme, and of tenants, cleaned or left out."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from clouddatamesh.export.catalogue import Output, Settings, title_of_all
from clouddatamesh.model.objects import Key
from clouddatamesh.view.refused import Refused

_PLAIN: Final = "!$&'()*+,;=:@/~%"
_HOST: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_URN: Final = re.compile(r"urn:([A-Za-z0-9][A-Za-z0-9-]{1,31}):(.+)", re.IGNORECASE | re.DOTALL)
_MAIL: Final = re.compile(r"mailto:([A-Za-z0-9.!#$&'*+/=?^_`{|}~%-]+@[A-Za-z0-9.-]+)")
_LONE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def web(link: str) -> str:
    """An http or https link as a valid URI; empty for anything else, and for one that carries a user's name or password."""
    try:
        parts = urlsplit(link.strip())
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    return SplitResult(parts.scheme, host, _escape(parts.path), _escape(parts.query, "?"), _escape(parts.fragment, "?")).geturl()


def mail(link: str) -> str:
    """A mailto link to one address, without a subject or other fields; empty for anything else."""
    found = _MAIL.match(link.strip())
    return f"mailto:{_escape(found[1])}" if found else ""


def absolute(name: str) -> str:
    """A URN or a web link as a valid URI; empty for a name that is none."""
    found = _URN.fullmatch(name.strip())
    return f"urn:{found[1].lower()}:{_escape(found[2])}" if found else web(name)


def _escape(part: str, more: str = "") -> str:
    return _LONE.sub("%25", quote(part, safe=_PLAIN + more, errors="replace"))


@dataclass(frozen=True)
class Ids:
    """Identifiers of what is exported. `pages` is the address of the catalogue's pages, empty where it has none."""

    root: str
    glue: str
    pages: str

    @classmethod
    def of(cls, settings: Settings) -> "Ids":
        """By the base that was given. Raises Refused for a base that is no identifier."""
        if not settings.base:
            return cls(f"urn:clouddatamesh:{_slug(title_of_all(settings))}", ":", "")
        page = web(settings.base).rstrip("/")
        if page and not urlsplit(page).query and not urlsplit(page).fragment:
            return cls(f"{page}/id", "/", page)
        urn = "" if page else absolute(settings.base)
        if urn:
            return cls(urn.rstrip(":"), ":", "")
        raise Refused(f"The base {settings.base[:80]} begins no identifiers; use https://HOST/PATH without ? and #, or urn:NAME:NAME")

    def make(self, *parts: str) -> str:
        """An identifier of these parts. The first is a namespace, or a word with a capital letter, which no namespace has."""
        return self.glue.join((self.root, *(quote(part, safe="", errors="replace") for part in parts)))

    def product(self, key: Key) -> str:
        return self.make(key.namespace, key.name)

    def port(self, output: Output) -> str:
        return self.make(output.product.namespace, output.product.name, output.port.name, output.port.version)

    def domain(self, name: str) -> str:
        return self.make("Domain", name)

    def page(self, key: Key) -> str:
        """The page of a product; empty where the catalogue has no pages."""
        return f"{self.pages}/products/{quote(key.namespace, safe='')}/{quote(key.name, safe='')}" if self.pages else ""


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-") or "mesh"
