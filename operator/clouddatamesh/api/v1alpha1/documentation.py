"""What a DataProduct tells people: documentation, names, support, and ports that the operator does not provide. Nothing acts on it."""

from typing import ClassVar, Final

from pydantic import Field

from clouddatamesh.api.base import Model, Rule
from clouddatamesh.api.fields import (
    GROUP,
    ConfigMapKey,
    ContractId,
    LabelName,
    Link,
    PlainName,
    PlainText,
    SemanticVersion,
    ShortText,
    SubdomainName,
    Text,
    begins_with_v,
    is_page,
)

DOCUMENTATION_LABEL: Final = f"{GROUP}/documentation"
"""A ConfigMap must carry it to be shown as documentation, whatever its value: nobody publishes another one by naming it."""
MOST_TEXT: Final = 8192
MOST_SAMPLE: Final = 4096


class ConfigMapKeyReference(Model):
    """Reference to a key of a ConfigMap in the same namespace."""

    name: SubdomainName = Field(description="Name of the ConfigMap. Example: orders-documentation.")
    key: ConfigMapKey = Field(description="Key with the text. Example: README.md.")


class Documentation(Model):
    """Documentation for the product's consumers."""

    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_TEXT,
        description=f"Documentation in Markdown, at most {MOST_TEXT:,} characters. Example: One row per order line.",
    )
    config_map_ref: ConfigMapKeyReference | None = Field(
        default=None,
        description="Longer documentation in Markdown, in a ConfigMap of this namespace. The ConfigMap must carry the label"
        f" {DOCUMENTATION_LABEL}.",
    )
    url: Link | None = Field(
        default=None,
        description="Page with documentation, https or http. It is shown as a link and never fetched. Example: https://wiki.example.com/orders.",
    )

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.text) || has(self.configMapRef) || has(self.url)",
            "spec.documentation is empty; set text, configMapRef or url, or remove spec.documentation",
        ),
        Rule(is_page("url"), "spec.documentation.url is not a web page; begin it with https:// or http://, and write no blanks"),
    )


class Synonym(Model):
    """Another name of the product, as in the Open Data Product Standard."""

    synonym: PlainName = Field(description="The other name. Example: Sales orders.")
    description: Text | None = Field(default=None, description="Who uses the name, and when. Example: Name in the old warehouse.")
    locale: ShortText | None = Field(default=None, description="Language of the name. Example: en-GB.")


class SupportChannel(Model):
    """A support channel."""

    channel: PlainName = Field(description='Name of the channel. Example: "#sales-data".')
    description: Text | None = Field(default=None, description="Use of the channel. Example: Questions about missing orders.")
    url: Link | None = Field(
        default=None,
        description="Link to the channel: https, http, mailto, slack or msteams. Example: https://chat.example.com/sales.",
    )
    tool: ShortText | None = Field(default=None, description="Tool of the channel. Example: slack.")
    scope: ShortText | None = Field(default=None, description="Scope of the channel. Example: issues.")


class ManagementPort(Model):
    """An endpoint for those who manage or observe the product, as in the Open Data Product Standard. For documentation only."""

    name: PlainName = Field(description="Name of the port. Example: quality.")
    content: PlainName = Field(
        description="Content of the port: discoverability, observability, control, dictionary or another word. Example: observability."
    )
    type: PlainName = Field(default="rest", description="Type of the port: rest, topic or another word. Example: rest.")
    description: Text | None = Field(default=None, description="Purpose and use of the port. Example: Results of the nightly checks.")
    url: Link | None = Field(
        default=None,
        description="Link to the endpoint, https or http. Never fetched. Example: https://quality.example.com/orders.",
    )
    channel: ShortText | None = Field(default=None, description="Topic or other channel of the port. Example: orders-changes.")
    tags: tuple[PlainName, ...] = Field(
        default=(), max_length=16, description="Search terms. Example: [quality].", json_schema_extra={"x-list-set": True}
    )
    deprecated: bool = Field(default=False, description="Whether new users should avoid the port. Example: false.")

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            is_page("url"),
            "The url of a management port is not a web page; begin it with https:// or http://, or name a topic in channel",
        ),
    )


class ExternalPort(Model):
    """An output that the operator does not provide, such as a topic, an API or a table of a warehouse. For documentation only."""

    name: LabelName = Field(description="Name of the port. Example: changes.")
    version: SemanticVersion = Field(description="Version of the port. Example: 1.0.0.")
    type: PlainName = Field(description="Kind of the port. Example: topic.")
    location: PlainText = Field(
        description="Place of the data, in the words of its system. Shown as text. Example: kafka://broker.example.com/orders."
    )
    description: Text | None = Field(
        default=None, description="Description of the data, and how to get access. Example: Ask the broker team."
    )
    contract_id: ContractId | None = Field(
        default=None, description="Identifier of the data contract of the port. Example: urn:acme:contract:order-changes."
    )
    tags: tuple[PlainName, ...] = Field(
        default=(), max_length=16, description="Search terms. Example: [orders].", json_schema_extra={"x-list-set": True}
    )
    deprecated: bool = Field(default=False, description="Whether new consumers should avoid the port. Example: false.")

    RULES: ClassVar[tuple[Rule, ...]] = (begins_with_v("version"),)
