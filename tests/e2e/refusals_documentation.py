"""What the API server refuses of a product's documentation and of ports that are only documented."""

from typing import Any

from tests.e2e.cases import Refusal, a_port
from tests.support.manifests import a_grant, a_product, a_request

_VERSION = "spec.version begins with v; write it without, such as 1.4.0 instead of v1.4.0"
_V = "A version begins with v; write it without, such as 1.0.0 instead of v1.0.0"
_LINK = "A url of spec.support is not a link that is allowed; begin it with https://, http://, mailto:, slack:// or msteams://"
_SHOWN = "A sample would show data that is confidential, restricted or personal; remove sample from spec.outputPorts"
_PAGE = "spec.documentation.url is not a web page; begin it with https:// or http://, and write no blanks"
_ENDPOINT = "The url of a management port is not a web page; begin it with https:// or http://, or name a topic in channel"
_SCRIPTS = ("javascript:alert(1)", "javascript://%0aalert(1)", "data:text/html,x", "file:///etc/passwd", "JavaScript://x", "vbscript://x")


def an_external_port(name: str = "changes", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A topic that the operator does not provide."""
    return {"name": name, "version": version, "type": "topic", "location": "kafka://broker.test/orders", **more}


def a_management_port(**more: Any) -> dict[str, Any]:
    """An endpoint with the results of checks."""
    return {"name": "quality", "content": "observability", **more}


def a_channel(url: str) -> list[dict[str, str]]:
    """A support channel with a link."""
    return [{"channel": "#sales", "url": url}]


def a_sample(**spec: Any) -> dict[str, Any]:
    """A product whose port has a sample."""
    return a_product(outputPorts=[a_port(sample="id,amount\n1,9.90")], **spec)


DOCUMENTATION_RULES = (
    Refusal("documentation that is empty", a_product(documentation={}),
            "spec.documentation is empty; set text, configMapRef or url, or remove spec.documentation"),
    *(
        Refusal(f"documentation at {url!a}", a_product(documentation={"url": url}), _PAGE)
        for url in (*_SCRIPTS, "mailto:kim@example.com", "wiki.test/orders", "https://wiki.test/all orders", "https://wiki.test\nx")
    ),
    *(
        Refusal(f"the support link {url!a}", a_product(support=a_channel(url)), _LINK)
        for url in (*_SCRIPTS, "The slack URL", "chat", "mailto:", "mailto:kim", "ftp://files.test", "https://a b", "https://", " https://a")
    ),
    Refusal("a support link that is not allowed next to one that was there", a_product(support=[*a_channel("chat"), *a_channel("https://a")]),
            _LINK, after=a_product(support=a_channel("https://a"))),
    *(
        Refusal(f"a management port at {url}", a_product(managementPorts=[a_management_port(url=url)]), _ENDPOINT)
        for url in (*_SCRIPTS, "mailto:kim@example.com", "kafka://broker.test/orders")
    ),
    Refusal("the version v1.4.0", a_product(version="v1.4.0"), _VERSION),
    Refusal("the version V1", a_product(version="V1"), _VERSION),
    Refusal("a port of version v1.0.0", a_product(outputPorts=[a_port(version="v1.0.0")]), _V),
    Refusal("an external port of version v1.0.0", a_product(externalPorts=[an_external_port(version="v1.0.0")]), _V),
    Refusal("an input from a port of version v1.0.0",
            a_product(inputPorts=[{"name": "s", "from": {"namespace": "i", "dataProduct": "s",
                                                         "outputPort": {"name": "d", "version": "v1.0.0"}}}]), _V),
    Refusal("a request for a port of version v1.0.0", a_request(outputPort={"name": "daily", "version": "v1.0.0"}), _V),
    Refusal("a grant for a port of version v1.0.0", a_grant(outputPort={"name": "daily", "version": "v1.0.0"}), _V),
    *(
        Refusal(f"a sample of {level} data", a_sample(classification=level), _SHOWN) for level in ("confidential", "restricted")
    ),
    Refusal("a sample of personal data", a_sample(classification="public", personalData=True), _SHOWN),
    Refusal("a sample in the second of two ports",
            a_product(outputPorts=[a_port(), a_port("b", path="b/", sample="1")], classification="restricted"), _SHOWN),
    Refusal("a product with a sample that becomes confidential", a_sample(classification="confidential"), _SHOWN, after=a_sample()),
    Refusal("an external port that has name and version of a port", a_product(externalPorts=[an_external_port("daily")]),
            "A port of spec.externalPorts has the name and version of one of spec.outputPorts; rename it, or raise its version"),
)  # fmt: skip
