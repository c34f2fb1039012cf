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
_USUAL: Final = "all_storage_classes_128K"


class AwsManners(FaultProxy):
    """A proxy before moto. `regions`, `owned` and `system_tags` are set by a test; the rest is learnt from what passes.

    | request | AWS |
    |---|---|
    | GetBucketLocation | the region in which a bucket was made, whatever the endpoint |
    | PutBucketTagging | InvalidTag for a semicolon, and where a tag of AWS's own is not sent back |
    | PutOwnershipControls | InvalidBucketAclWithObjectOwnership beside grants of the ACL |
    | PutBucketPolicy | AccessDenied for a public statement while public access is blocked |
    | Put/GetBucketLifecycle | the least size of transitions is as the last write said, the usual one where it said nothing |
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.regions: dict[str, str] = {}
        self.system_tags: dict[str, dict[str, str]] = {}
        self.minimums: dict[str, str] = {}
        self._granted: set[str] = set()
        self._blocked: set[str] = set()

    def handle(self, asked: Asked, send: Callable[[str], Answer]) -> Answer | None:
        refusal = next((code for find in _REFUSALS.get(asked.action, ()) if (code := find(self, asked))), None)
        if refusal is not None:
            self.asked.append(asked)
            return refuse(asked, *refusal)
        if asked.action == "GetBucketLocation" and asked.bucket in self.regions:
            self.asked.append(asked)
            return _xml("LocationConstraint", self.regions[asked.bucket])
        answer = super().handle(asked, send)
        if answer is None or answer.status >= 300:
            return answer
        self._learn(asked)
        return self._with_minimum(asked, answer)

    def _learn(self, asked: Asked) -> None:
        headers = _lower(asked)
        if asked.action == "PutBucketAcl":
            canned = headers.get("x-amz-acl", "")
            (self._granted.discard if canned == "private" else self._granted.add)(asked.bucket)
        if asked.action == "PutPublicAccessBlock":
            self._blocked.add(asked.bucket)
        if asked.action == "DeletePublicAccessBlock":
            self._blocked.discard(asked.bucket)
        if asked.action == "PutBucketLifecycle":
            self.minimums[asked.bucket] = headers.get(_MINIMUM, _USUAL)

    def _with_minimum(self, asked: Asked, answer: Answer) -> Answer:
        if asked.action != "GetBucketLifecycle" or asked.bucket not in self.minimums:
            return answer
        others = tuple(pair for pair in answer.headers if pair[0].lower() != _MINIMUM)
        return Answer(answer.status, (*others, (_MINIMUM, self.minimums[asked.bucket])), answer.body)

    # What AWS refuses

    def _refuse_tags(self, asked: Asked) -> tuple[int, str] | None:
        sent = {key.decode(): value.decode() for key, value in _TAGS.findall(asked.body)}
        wanting = self.system_tags.get(asked.bucket, {}).items() - sent.items()
        return (400, "InvalidTag") if wanting or not all(_TAG_VALUE.fullmatch(value) for value in sent.values()) else None

    def _refuse_ownership(self, asked: Asked) -> tuple[int, str] | None:
        enforces = b"BucketOwnerEnforced" in asked.body
        return (400, "InvalidBucketAclWithObjectOwnership") if enforces and asked.bucket in self._granted else None

    def _refuse_policy(self, asked: Asked) -> tuple[int, str] | None:
        if asked.bucket not in self._blocked:
            return None
        return (403, "AccessDenied") if any(map(_is_public, json.loads(asked.body).get("Statement", ()))) else None


_REFUSALS: Final[Mapping[str, tuple[Callable[[AwsManners, Asked], tuple[int, str] | None], ...]]] = {
    "PutBucketTagging": (AwsManners._refuse_tags,),
    "PutOwnershipControls": (AwsManners._refuse_ownership,),
    "PutBucketPolicy": (AwsManners._refuse_policy,),
}


def _is_public(statement: Mapping[str, Any]) -> bool:
    return statement.get("Effect") == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"})


def _lower(asked: Asked) -> dict[str, str]:
    return {name.lower(): value for name, value in asked.headers}


def _xml(name: str, text: str) -> Answer:
    body = f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{escape(text)}</{name}>'
    return Answer(200, (("Content-Type", "application/xml"),), body.encode())
