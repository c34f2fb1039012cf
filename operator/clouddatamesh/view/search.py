"""Products by the words that people look for. Every word has to be found somewhere; where it is found decides the order."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clouddatamesh.model.objects import Key, Manifest, key_of
from clouddatamesh.view.naming import owner_of, title_of
from clouddatamesh.view.raw import entries, text, value, words

_WHOLE, _START, _PART = 3, 2, 1
"""How much a word counts that is a whole word of a text, begins one, or is inside of one."""


@dataclass(frozen=True)
class Document:
    """The texts of a product that are searched, each with its weight."""

    key: Key
    texts: tuple[tuple[int, str], ...]


def describe(product: Manifest) -> Document:
    """What is searched of a product: names most, then tags, ports, descriptions and people."""
    return Document(key_of(product), tuple((weight, said.casefold()) for weight, said in _texts(product) if said))


def _texts(product: Manifest) -> Iterator[tuple[int, str]]:
    spec = value(product, "spec")
    yield 10, product["metadata"]["name"]
    yield 10, title_of(product)
    yield from ((8, tag) for tag in words(spec, "tags"))
    yield from ((8, text(name, "synonym")) for name in entries(spec, "synonyms"))
    yield 5, product["metadata"]["namespace"]
    for port in entries(spec, "outputPorts"):
        yield 5, text(port, "name")
        yield 2, text(port, "description")
        yield 2, text(port, "format")
        yield from ((4, tag) for tag in words(port, "tags"))
    for port in entries(spec, "externalPorts"):
        yield 4, text(port, "name")
        yield 2, text(port, "description")
    yield 4, text(spec, "description", "purpose")
    yield 2, owner_of(product)
    for path in _OTHERS:
        yield 1, text(spec, *path)
    yield from ((1, f"{text(entry, 'property')} {text(entry, 'value')}") for entry in entries(spec, "customProperties"))


_OTHERS: Final = (
    ("description", "usage"),
    ("description", "limitations"),
    ("id",),
    ("type",),
    ("documentation", "text"),
    ("classification",),
    ("lifecycle",),
)


def score(document: Document, wanted: Iterable[str]) -> int:
    """How well a document answers; 0 where a word is nowhere in it."""
    each = [max((weight * _match(word, said) for weight, said in document.texts), default=0) for word in map(str.casefold, wanted)]
    return sum(each) if all(each) else 0


def _may_answer(product: Manifest, wanted: Sequence[str]) -> bool:
    """Whether each casefolded word is anywhere at all: most products of a mesh are done with so, at a third of the cost."""
    whole = "\n".join([said for _, said in _texts(product)]).casefold()
    return all(word in whole for word in wanted)


def _match(word: str, said: str) -> int:
    if word not in said:
        return 0
    escaped = re.escape(word)
    if re.search(rf"(?<!\w){escaped}(?!\w)", said):
        return _WHOLE
    return _START if re.search(rf"(?<!\w){escaped}", said) else _PART


def find(products: Iterable[Manifest], wanted: Iterable[str]) -> list[Manifest]:
    """The products that answer, the best first, equal ones by namespace and name."""
    asked = tuple(map(str.casefold, wanted))
    found = [(score(describe(product), asked), product) for product in products if _may_answer(product, asked)]
    return [product for points, product in sorted(found, key=lambda pair: (-pair[0], key_of(pair[1]))) if points]
