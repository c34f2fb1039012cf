"""moto with the manners of AWS that it lacks: what AWS refuses, sends along and keeps of settings that others made. Grows as needed."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from tests.support.fault_proxy import Answer, Asked, FaultProxy, refuse

_TAGS: Final = re.compile(rb"<Key>(.*?)</Key>\s*<Value>(.*?)</Value>", re.DOTALL)
_TAG_VALUE: Final = re.compile(r"[\w \-+=._:/@]*")
_MINIMUM: Final = "x-amz-transition-default-minimum-object-size"
_NAMESPACE: Final = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_USUAL: Final = "all_storage_classes_128K"


class AwsManners(FaultProxy):
    """A proxy before moto. `regions`, `owned` and `system_tags` are set by a test; the rest is learnt from what passes.

    | request | AWS |
    |---|---|
    | GetBucketLocation | the region in which a bucket was made, whatever the endpoint |
    | PutBucketTagging | InvalidTag for a semicolon, and where a tag of AWS's own is not sent back |
    | PutOwnershipControls | InvalidBucketAclWithObjectOwnership beside grants of the ACL |
    | PutBucketAcl, PutObjectAcl | AccessDenied for a public one while public access is blocked, none where the owner owns every object |
    | PutBucketPolicy | AccessDenied for a public statement while public access is blocked |
    | Put/GetBucketLifecycle | rules as they were written, and the least size of transitions as the last write said, else the usual one |
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.regions: dict[str, str] = {}
        self.system_tags: dict[str, dict[str, str]] = {}
        self.minimums: dict[str, str] = {}
        self._lifecycles: dict[str, bytes] = {}
        self._tag_sets: dict[str, bytes] = {}
        self._granted: set[str] = set()
        self._blocked: set[str] = set()
        self._enforced: set[str] = set()

    def handle(self, asked: Asked, send: Callable[[str], Answer]) -> Answer | None:
        refusal = next((code for find in _REFUSALS.get(asked.action, ()) if (code := find(self, asked))), None)
        if refusal is not None:
            self.asked.append(asked)
            return refuse(asked, *refusal)
        own = self._answer(asked)
        if own is not None:
            self.asked.append(asked)
            return own
        answer = super().handle(asked, send)
        if answer is None or answer.status >= 300:
            return answer
        self._learn(asked)
        return self._with_minimum(asked, answer)

    def _answer(self, asked: Asked) -> Answer | None:
        """What moto could not say."""
        if asked.action == "GetBucketLocation" and asked.bucket in self.regions:
            return _xml(f"<LocationConstraint {_NAMESPACE}>{escape(self.regions[asked.bucket])}</LocationConstraint>".encode())
        if asked.bucket not in self.system_tags:
            return None
        if asked.action == "PutBucketTagging":
            self._tag_sets[asked.bucket] = asked.body
            return Answer(204, (), b"")
        return _xml(self._tag_sets[asked.bucket]) if asked.action == "GetBucketTagging" and asked.bucket in self._tag_sets else None

    def _learn(self, asked: Asked) -> None:
        headers = _lower(asked)
        if asked.action == "PutBucketAcl":
            canned = headers.get("x-amz-acl", "")
            (self._granted.discard if canned == "private" else self._granted.add)(asked.bucket)
        if asked.action == "PutPublicAccessBlock":
            self._blocked.add(asked.bucket)
        if asked.action == "DeletePublicAccessBlock":
            self._blocked.discard(asked.bucket)
        if asked.action in ("PutOwnershipControls", "DeleteOwnershipControls"):
            enforces = b"BucketOwnerEnforced" in asked.body
            (self._enforced.add if enforces else self._enforced.discard)(asked.bucket)
        if asked.action == "PutBucketLifecycle":
            self.minimums[asked.bucket], self._lifecycles[asked.bucket] = headers.get(_MINIMUM, _USUAL), asked.body

    def _with_minimum(self, asked: Asked, answer: Answer) -> Answer:
        if asked.action != "GetBucketLifecycle" or asked.bucket not in self.minimums:
            return answer
        others = tuple(pair for pair in answer.headers if pair[0].lower() != _MINIMUM)
        others = tuple(pair for pair in others if pair[0].lower() != "content-length")
        return Answer(answer.status, (*others, (_MINIMUM, self.minimums[asked.bucket])), self._lifecycles[asked.bucket])

    # What AWS refuses

    def _refuse_tags(self, asked: Asked) -> tuple[int, str] | None:
        sent = {key.decode(): value.decode() for key, value in _TAGS.findall(asked.body)}
        wanting = self.system_tags.get(asked.bucket, {}).items() - sent.items()
        return (400, "InvalidTag") if wanting or not all(_TAG_VALUE.fullmatch(value) for value in sent.values()) else None

    def _refuse_ownership(self, asked: Asked) -> tuple[int, str] | None:
        enforces = b"BucketOwnerEnforced" in asked.body
        return (400, "InvalidBucketAclWithObjectOwnership") if enforces and asked.bucket in self._granted else None

    def _refuse_acl(self, asked: Asked) -> tuple[int, str] | None:
        canned = _lower(asked).get("x-amz-acl")
        if canned is None or not asked.target.endswith("?acl"):
            return None
        if asked.bucket in self._enforced:
            return 400, "AccessControlListNotSupported"
        return (403, "AccessDenied") if canned.startswith("public") and asked.bucket in self._blocked else None

    def _refuse_policy(self, asked: Asked) -> tuple[int, str] | None:
        if asked.bucket not in self._blocked:
            return None
        return (403, "AccessDenied") if any(map(_is_public, json.loads(asked.body).get("Statement", ()))) else None


_REFUSALS: Final[Mapping[str, tuple[Callable[[AwsManners, Asked], tuple[int, str] | None], ...]]] = {
    "PutBucketTagging": (AwsManners._refuse_tags,),
    "PutOwnershipControls": (AwsManners._refuse_ownership,),
    "PutBucketPolicy": (AwsManners._refuse_policy,),
    "PutBucketAcl": (AwsManners._refuse_acl,),
    "PutObject": (AwsManners._refuse_acl,),
}


def _is_public(statement: Mapping[str, Any]) -> bool:
    return statement.get("Effect") == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"})


def _lower(asked: Asked) -> dict[str, str]:
    return {name.lower(): value for name, value in asked.headers}


def _xml(body: bytes) -> Answer:
    return Answer(200, (("Content-Type", "application/xml"),), body)
