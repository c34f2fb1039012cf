"""Single values of foreign documents in the form that our fields have. What does not fit says why; nothing is guessed."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError

from clouddatamesh.api.fields import SemanticVersion
from clouddatamesh.plan.names import hash80

Node: TypeAlias = Mapping[str, Any]
Reader: TypeAlias = Callable[[Any, Node], Any]
"""A value and the object it is in, to our value. Raises Unfit or Wrong."""

_VARIABLE: Final = re.compile(r"\$\{[^{}]*\}")
_SHORT_VERSION: Final = re.compile(r"[vV]?(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?(\.(0|[1-9][0-9]*))?([-+][0-9A-Za-z.+-]+)?")
_LONGEST_VERSION: Final = 256
_VERSION: Final = TypeAdapter(SemanticVersion)
_PAGE: Final = re.compile(r"https?://[!-~]+")
_CHANNEL: Final = re.compile(r"(https?|slack|msteams)://[!-~]+|mailto:[!-~]+@[!-~]+")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+")
_LABEL: Final = re.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_STAGES: Final = ("proposed", "draft", "active", "deprecated", "retired")
_STAGE_WORDS: Final = {
    **{stage: stage for stage in _STAGES},
    **dict.fromkeys(("production", "current", "published", "prod", "live"), "active"),
    **dict.fromkeys(("in development", "development", "dev"), "draft"),
    "sunset": "deprecated",
    "decommissioned": "retired",
}


class Unfit(Exception):
    """No field of ours holds this value; it is kept as it is."""


class Wrong(Exception):
    """The value contradicts what it has to be; somebody has to correct the document."""


def same(value: Any) -> Any:
    """The value as it is."""
    return value


def text(most: int, *, cut: bool = False, least: int = 0) -> Reader:
    """A text of at most so many characters; a longer one is cut if that is allowed."""

    def read(value: Any, _: Node) -> str:
        if not isinstance(value, str):
            raise Unfit("It is no text")
        if len(value) < least:
            raise Unfit("It is empty")
        if len(value) > most and not cut:
            raise Unfit(f"It has {len(value):,} characters, and our field at most {most:,}")
        return value[:most]

    return read


def pattern(expression: str, most: int, what: str) -> Reader:
    """A text that is wholly as the expression says."""
    form = re.compile(expression)

    def read(value: Any, node: Node) -> str:
        said: str = text(most, least=1)(value, node)
        if not form.fullmatch(said):
            raise Unfit(f"It is no {what}")
        return said

    return read


def truth(value: Any, _: Node) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Unfit("It is neither true nor false")
    return value


def words(most: int) -> Reader:
    """The words of a list that fit, each once."""

    def read(value: Any, _: Node) -> list[str]:
        if not isinstance(value, list):
            raise Unfit("It is no list")
        fit = [word for word in value if isinstance(word, str) and 0 < len(word) <= 256]
        found = list(dict.fromkeys(fit))[:most]
        if not found:
            raise Unfit("It is empty" if not value else "No entry is a text of 1 to 256 characters")
        return found

    return read


def version(value: Any, _: Node) -> str:
    """A semantic version: a leading v is taken off, `1` and `1.2` are filled up."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit("It is no text")
    said = str(value)
    if len(said) > _LONGEST_VERSION:
        raise Unfit("It is no semantic version such as 1.4.0")
    _check_variable(said)
    found = _SHORT_VERSION.fullmatch(said)
    if not found:
        raise Unfit("It is no semantic version such as 1.4.0")
    major, minor, patch, rest = found[1], found[3] or "0", found[5] or "0", found[6] or ""
    try:
        return _VERSION.validate_python(f"{major}.{minor}.{patch}{rest}")
    except ValidationError:
        raise Unfit("It is no semantic version such as 1.4.0") from None


def lifecycle(value: Any, node: Node) -> str:
    """Our word for a status, and deprecated where the document says so and the status is active or absent."""
    stage = _STAGE_WORDS.get(value.strip().casefold()) if isinstance(value, str) else None
    if stage is None:
        raise Wrong(f"{value!r:.60} is no status that is known; write one of {', '.join(_STAGES)}")
    if node.get("deprecated") is True and stage in ("proposed", "draft"):
        raise Wrong(f"The status {stage} contradicts deprecated: true; correct one of them")
    if node.get("deprecated") is False and stage == "deprecated":
        raise Wrong("The status deprecated contradicts deprecated: false; correct one of them")
    return "deprecated" if node.get("deprecated") is True and stage == "active" else stage


def page(value: Any, node: Node) -> str:
    """A link to a web page."""
    return _link(value, node, _PAGE, "a web page, https:// or http://")


def channel(value: Any, node: Node) -> str:
    """A link to a support channel."""
    return _link(value, node, _CHANNEL, "a link with https://, http://, mailto:, slack:// or msteams://")


def url(value: Any, node: Node) -> str:
    """Any URL with an authority."""
    return _link(value, node, _URL, "a URL with ://")


def _link(value: Any, node: Node, form: re.Pattern[str], what: str) -> str:
    said: str = text(1024, least=1)(value, node)
    _check_variable(said)
    if not form.fullmatch(said):
        raise Unfit(f"It is not {what}")
    return said


def _check_variable(said: str) -> None:
    if found := _VARIABLE.search(said):
        raise Wrong(f"The variable {found[0][:60]} is not resolved, and the value has to be valid; write the value, or resolve it before")


def model(kind: type[BaseModel]) -> Reader:
    """An object that is wholly one of our own models."""

    def read(value: Any, _: Node) -> Any:
        try:
            found = kind.model_validate(value)
        except ValidationError as error:
            raise Unfit(f"It is not what {kind.__name__} is: {sentence(error)}") from None
        if plain(found) != value:
            raise Unfit(f"It has members that {kind.__name__} does not have")
        return value

    return read


def plain(found: BaseModel) -> Any:
    """A model as JSON knows it, only with what was said."""
    return found.model_dump(mode="json", by_alias=True, exclude_unset=True)


def sentence(error: ValidationError) -> str:
    """The first fault of a validation, with its place."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def slug(said: str, most: int = 63) -> str:
    """A DNS label: lower case, each run of other characters a hyphen. Without any letter that fits, a hash."""
    found = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")[:most].rstrip("-")
    return found or f"n-{hash80('name', said)[:8]}"


def label(value: Any, node: Node) -> str:
    """A DNS label made of a name."""
    said: str = text(4096, least=1)(value, node)
    if _VARIABLE.search(said):
        raise Wrong(f"The name {said[:60]} has a variable that is not resolved; write the name")
    return said if len(said) <= 63 and _LABEL.fullmatch(said) else slug(said)
