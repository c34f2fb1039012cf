"""Field types with their limits, each bound once and used by every kind. Patterns leave no room for wildcards, dots or look-alikes."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from clouddatamesh.api import texts
from clouddatamesh.api.base import Model, Rule

GROUP, VERSION = texts.GROUP, texts.VERSION
parse_duration, parse_time = texts.parse_duration, texts.parse_time
"""At home in api/texts.py, for whoever cannot wait for the models."""

_LABEL = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_SUBDOMAIN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
_LABEL_KEY = "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_SEGMENT = r"[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*"
_HOUR = "([01][0-9]|2[0-3])"

LabelName = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=_LABEL)]
SubdomainName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=_SUBDOMAIN)]
SubjectName = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Text = Annotated[str, StringConstraints(max_length=1024)]
LongText = Annotated[str, StringConstraints(max_length=4096)]
PlainText = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"[^ \t\n\f\r]")]
PlainName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ShortText = Annotated[str, StringConstraints(max_length=256)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]
Url = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[a-z][a-z0-9+.-]*://[!-~]+$")]
Link = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""A link for people. CEL rules say which ones are taken (`is_page`): a pattern has no sentence, and would make old objects unreadable."""
EndpointUrl = Annotated[str, StringConstraints(max_length=512, pattern=rf"^https?://{_HOST}(:{_PORT})?(/[A-Za-z0-9._/-]*)?$")]
PlainUrl = Annotated[str, StringConstraints(max_length=512, pattern=rf"^http://{_HOST}(:{_PORT})?$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@ \t\n\f\r]+@[^@ \t\n\f\r]+\.[^@ \t\n\f\r]+$")]
Duration = Annotated[str, StringConstraints(min_length=2, max_length=24, pattern=r"^([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?$")]
SemanticVersion = Annotated[
    str,
    StringConstraints(max_length=64, pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"),
]
Quantity = Annotated[
    str,
    StringConstraints(min_length=1, max_length=32, pattern=r"^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$"),
]
Date = Annotated[str, StringConstraints(max_length=10, pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Timestamp = Annotated[
    str,
    StringConstraints(
        max_length=32,
        pattern=rf"^2[0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}T{_HOUR}:[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-]{_HOUR}:[0-5][0-9])$",
    ),
    AfterValidator(lambda text: parse_time(text) and text),
    Field(json_schema_extra={"format": "date-time"}),
]
Uid = Annotated[str, StringConstraints(max_length=36, pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$")]
BucketName = Annotated[str, StringConstraints(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$")]
BucketPattern = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9*][a-z0-9*-]*$")]
BucketPrefix = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=_LABEL)]
ObjectPath = Annotated[str, StringConstraints(min_length=2, max_length=256, pattern=rf"^({_SEGMENT}/)+$")]
ObjectPrefix = Annotated[str, StringConstraints(max_length=256, pattern=rf"^({_SEGMENT}/)*\.?([A-Za-z0-9_=-]+\.?)*$")]
ConfigMapKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._-]+$")]
ContractId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[!-~]+$")]
LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=317)]
LabelValue = Annotated[str, StringConstraints(max_length=63, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$")]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TagValue = Annotated[str, StringConstraints(max_length=256, pattern=r"^[A-Za-z0-9 _.:/=+@-]*$")]


def is_some_time(*fields: str) -> str:
    """CEL: none of these optional durations is zero, as 0d does."""
    return " && ".join(f"(!has(self.{field}) || self.{field}.matches('[1-9]'))" for field in fields)


def is_page(field: str) -> str:
    """CEL: an optional link is one to a web page. Whoever renders links writes no other scheme into `href`."""
    return f"!has(self.{field}) || self.{field}.matches('^https?://[!-~]+$')"


def begins_with_v(field: str) -> Rule:
    """The rule that explains what the pattern of a version refuses without a word: v1.0.0, as tags of Git are written."""
    return Rule(f"!self.{field}.matches('^[vV][0-9]')", "A version begins with v; write it without, such as 1.0.0 instead of v1.0.0")


def in_minutes(field: str) -> str:
    """CEL: the minutes of a duration that is given. CEL knows no days, so its own durations cannot be used."""
    days, hours, minutes = (f"int('0' + {field}.find('[0-9]+{unit}').replace('{unit}', ''))" for unit in "dhm")
    return f"({days} * 24 + {hours}) * 60 + {minutes}"


class ObjectReference(Model):
    """Reference to another object by name."""

    name: SubdomainName = Field(description="Name of the object. Example: main.")


class LabelSelectorRequirement(Model):
    """One requirement of a label selector."""

    key: LabelKey = Field(description="Label key. Example: tier.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="Relation between the key and the values. Example: In.")
    values: tuple[LabelValue, ...] = Field(
        default=(), max_length=32, description="Values to compare with; required for In and NotIn. Example: [gold]."
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "The operators In and NotIn require values, Exists and DoesNotExist allow none; add or remove values",
        ),
        Rule(
            f"self.key.matches('{_LABEL_KEY}')",
            "The key is not a valid label key; use letters, digits and -_. after an optional prefix and /",
        ),
    )


class LabelSelector(Model):
    """Selects objects by their labels. All requirements must hold. An empty selector selects all objects."""

    match_labels: dict[LabelKey, LabelValue] = Field(
        default={}, max_length=16, description="Labels that an object must have, with these values. Example: {tier: gold}."
    )
    match_expressions: tuple[LabelSelectorRequirement, ...] = Field(default=(), max_length=16, description="Additional requirements.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.matchLabels) || self.matchLabels.all(key, key.matches('{_LABEL_KEY}'))",
            "A key of matchLabels is not a valid label key; use letters, digits and -_. after an optional prefix and /",
        ),
    )


class Description(Model):
    """Purpose, limitations and usage, as in the Open Data Product Standard."""

    purpose: LongText | None = Field(default=None, description="Intended purpose. Example: Every order line since 2019.")
    limitations: LongText | None = Field(default=None, description="Known limitations. Example: Returns arrive a day late.")
    usage: LongText | None = Field(default=None, description="Recommended usage. Example: Read the newest partition.")


class AuthoritativeDefinition(Model):
    """Link to an authoritative page."""

    type: ShortText = Field(description="Type of the page. Example: documentation.")
    url: Url = Field(description="URL of the page. Example: https://wiki.example.com/orders.")
