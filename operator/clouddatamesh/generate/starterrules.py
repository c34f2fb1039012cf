"""The rules of the starter pack: the one source of the chart's GovernancePolicies and of their page in the docs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class StarterRule:
    """One rule, and for readers why it is there."""

    name: str
    severity: str
    expression: str
    message: str
    remediation: str
    why: str


@dataclass(frozen=True)
class StarterPolicy:
    """A GovernancePolicy in Audit."""

    name: str
    category: str
    description: str
    rules: tuple[StarterRule, ...]
    regulations: tuple[tuple[str, str, str], ...] = ()
    """Name, article and URL of each."""
    kinds: tuple[str, ...] = ("DataProduct",)
    params: Mapping[str, Any] = field(default_factory=dict)


_PORTS: Final = "object.spec.?outputPorts.orValue([])"
_SUPPORT: Final = "object.spec.?support.orValue([])"
_GDPR: Final = "https://eur-lex.europa.eu/eli/reg/2016/679/oj"
_DORA: Final = "https://eur-lex.europa.eu/eli/reg/2022/2554/oj"
_HIPAA: Final = "https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164"
_BCBS: Final = "https://www.bis.org/publ/bcbs239.htm"
_NO_BUCKET: Final = "Products whose bucket does not exist yet keep it."

PACK: Final = (
    StarterPolicy(
        "starter-ownership",
        "documentation",
        "Somebody answers for each product, and can be reached.",
        regulations=(("BCBS 239", "Principle 1", _BCBS),),
        rules=(
            StarterRule(
                "owner-named",
                "high",
                "object.spec.?owner.?name.orValue('') != '' && object.spec.?owner.?email.orValue('') != ''",
                "The product has no owner with an e-mail address",
                "Set spec.owner.name and spec.owner.email.",
                "Who answers for the data must be a person whom others can write to.",
            ),
            StarterRule(
                "support-named",
                "medium",
                f"size({_SUPPORT}) > 0",
                "The product names no support channel",
                "Add a channel to spec.support.",
                "Consumers who find an error need a place to report it.",
            ),
            StarterRule(
                "contact-answers",
                "medium",
                f"object.spec.lifecycle != 'active' || size({_PORTS}) == 0 || {_SUPPORT}.exists(one, one.?url.orValue('') != '')",
                "An active product with output ports has no support channel with a link",
                "Set the url of a channel in spec.support.",
                "Where data is offered, the channel must be one click away.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-documentation",
        "documentation",
        "Each product says what it is for.",
        regulations=(("BCBS 239", "Principle 2", _BCBS), ("GDPR", "5(1)(b)", _GDPR)),
        params={"minPurpose": 40},
        rules=(
            StarterRule(
                "purpose-said",
                "medium",
                "size(object.spec.?description.?purpose.orValue('')) >= params.minPurpose",
                "The product does not say in at least 40 characters what it is for",
                "Write spec.description.purpose.",
                "A purpose tells people whether the data fits their question, and is what the use of personal data is measured by.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-privacy",
        "privacy",
        "Personal and restricted data is classified, given by a person's decision, and for a time.",
        regulations=(("GDPR", "5, 25", _GDPR), ("HIPAA", "164.308(a)(4)", _HIPAA)),
        rules=(
            StarterRule(
                "classification-set",
                "high",
                "!object.spec.personalData || object.spec.classification in ['confidential', 'restricted']",
                "The product has personal data, and a classification that does not say so",
                "Set spec.classification to confidential or restricted.",
                "A product that says nothing is `internal`, so the rule asks where that would be wrong: for personal data.",
            ),
            StarterRule(
                "personal-data-by-decision",
                "critical",
                f"!object.spec.personalData || {_PORTS}.all(port, port.access.approval == 'Manual')",
                "A port of a product with personal data approves requests by itself",
                "Set access.approval of each port to Manual.",
                "Access to personal data needs a person who looks at the purpose.",
            ),
            StarterRule(
                "personal-data-with-end",
                "high",
                f"!object.spec.personalData || {_PORTS}.all(port, has(port.access.maxDuration) && !port.access.allowPermanent)",
                "A port of a product with personal data gives access without an end",
                "Set access.maxDuration of each port, and remove allowPermanent.",
                "Access to personal data ends unless somebody asks again.",
            ),
            StarterRule(
                "restricted-not-permanent",
                "high",
                f"object.spec.classification != 'restricted' || {_PORTS}.all(port, !port.access.allowPermanent)",
                "A port of a restricted product allows permanent access",
                "Remove access.allowPermanent of each port.",
                "Who needs restricted data for long renews the access.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-bucket",
        "security",
        "Buckets are closed to the public, encrypted at rest and on the way, and keep old versions.",
        regulations=(("GDPR", "32", _GDPR), ("HIPAA", "164.312", _HIPAA), ("DORA", "9", _DORA)),
        rules=(
            StarterRule(
                "public-access-blocked",
                "critical",
                "!has(live.bucket) || live.bucket.publicAccessBlocked",
                "The bucket does not block public access",
                "Set the store's baseline.publicAccessBlock to Required, or move to a store that can block public access.",
                f"One wrong policy must not publish a bucket. {_NO_BUCKET}",
            ),
            StarterRule(
                "tls-only",
                "high",
                "!has(live.bucket) || live.bucket.tlsOnly",
                "The bucket accepts requests without TLS",
                "Set the store's baseline.tlsOnly to Required.",
                f"Data and keys are not sent in the clear. {_NO_BUCKET}",
            ),
            StarterRule(
                "encrypted",
                "high",
                "!has(live.bucket) || live.bucket.encryption != ''",
                "The bucket is not encrypted by default",
                "Set the store's baseline.encryption to SSE-S3 or SSE-KMS.",
                f"A lost disk is no lost data. {_NO_BUCKET}",
            ),
            StarterRule(
                "versioned",
                "medium",
                "!has(live.bucket) || live.bucket.versioning == 'Enabled'",
                "The bucket keeps no old versions of objects",
                "Set spec.storage.versioning to Enabled.",
                f"What was overwritten by mistake can be had back. {_NO_BUCKET}",
            ),
        ),
    ),
    StarterPolicy(
        "starter-retention",
        "privacy",
        "Data is kept for as long as somebody said, and in the regions that the Domain allows.",
        regulations=(("GDPR", "5(1)(e), 44", _GDPR), ("DORA", "28", _DORA)),
        rules=(
            StarterRule(
                "retention-declared",
                "low",
                "!has(object.spec.storage) || object.spec.storage.?lifecycleRules.orValue([]).exists(rule, has(rule.expireAfter))"
                " || object.spec.?customProperties.orValue([]).exists(one, one.property == 'retention')",
                "The product does not say how long data is kept",
                "Add a rule with expireAfter to spec.storage.lifecycleRules, or a custom property retention that says why it is kept.",
                "Data that nobody decided to keep is a cost and a risk.",
            ),
            StarterRule(
                "residency",
                "critical",
                "size(domain.spec.?resources.?allowedRegions.orValue([])) == 0 || live.region == ''"
                " || live.region in domain.spec.resources.allowedRegions",
                "The bucket is in a region that the Domain does not allow",
                "Create the product in a store of an allowed region and move the data, or add the region to spec.resources.allowedRegions.",
                "Where data may be is decided for the business area. Domains that name no regions allow all.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-use",
        "cost",
        "Products that nobody uses are found.",
        params={"maxDays": 182},
        rules=(
            StarterRule(
                "used",
                "low",
                f"object.spec.lifecycle != 'active' || size({_PORTS}) == 0 || live.consumers > 0 || live.ageDays <= params.maxDays",
                "The product is older than 6 months, and nobody has access to it",
                "Ask who needs it; else set spec.lifecycle to deprecated.",
                "Products without consumers cost storage and attention.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-team",
        "quality",
        "People who look after data know what they must know.",
        kinds=("Domain",),
        regulations=(("GDPR", "39(1)(b)", _GDPR), ("DORA", "13(6)", _DORA), ("HIPAA", "164.308(a)(5)", _HIPAA)),
        rules=(
            StarterRule(
                "team-trained",
                "medium",
                "domain.training.overdue == 0",
                "A member of the Domain's team has not completed a training that the role needs",
                "Complete it, and write completedBy into the DomainProfile.",
                "A training that is overdue is as good as none. Domains without training keep it.",
            ),
        ),
    ),
    StarterPolicy(
        "starter-access",
        "security",
        "Access is looked at again at least once a year.",
        kinds=("AccessGrant",),
        regulations=(("HIPAA", "164.308(a)(4)(ii)(C)", _HIPAA), ("DORA", "9(4)(c)", _DORA)),
        params={"maxDays": 365},
        rules=(
            StarterRule(
                "access-reassessed",
                "medium",
                "!live.inEffect || live.ageDays <= params.maxDays",
                "The grant has been in effect for more than 12 months without a new decision",
                "Look whether the access is still needed; then approve it again by a new grant, or delete this one.",
                "People and purposes change, and grants do not by themselves.",
            ),
        ),
    ),
)
"""Everything is Audit: it is reported, and stops nothing."""
