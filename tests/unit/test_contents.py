"""Pages of a bucket's contents as odd stores answer them."""

from typing import Any
from urllib.parse import quote_plus

import pytest

from clouddatamesh.storage.contents import count_contents, remove_page

ITEM = {"Key": "a", "VersionId": "1"}


class Pages:
    """A store that answers these pages of versions in turn, and the last of them for ever."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = list(pages)
        self.asked: list[str] = []

    def __call__(self, operation: str, **_: Any) -> dict[str, Any]:
        self.asked.append(operation)
        assert len(self.asked) < 10, "asked without an end"
        if operation != "list_object_versions":
            return {}
        return self._pages.pop(0) if len(self._pages) > 1 else self._pages[0]


def test_empty_pages_before_one_that_holds_something_are_passed() -> None:
    empty = {"IsTruncated": True, "NextKeyMarker": "a"}
    pages = Pages(empty, {**empty, "NextKeyMarker": "b"}, {"Versions": [ITEM]})
    assert count_contents(pages).versions == 1


def test_a_page_that_leads_back_to_itself_ends_and_counts_as_something() -> None:
    page = {"IsTruncated": True, "NextKeyMarker": "a"}
    assert not count_contents(Pages(page)).empty
    assert remove_page(Pages(page), "bucket") == ""


class Bucket:
    """A bucket that holds versions and uploads, and removes them."""

    def __init__(self, *, keys: list[str], uploads: list[str], encodes: bool = True) -> None:
        self.keys, self.uploads, self._encodes = keys, uploads, encodes
        self.asked: list[str] = []

    def __call__(self, operation: str, **given: Any) -> dict[str, Any]:
        self.asked.append(operation)
        return getattr(self, f"_{operation}")(**given) or {}

    def _list_object_versions(self, **_: Any) -> dict[str, Any]:
        return {"Versions": [{"Key": key, "VersionId": "1"} for key in self.keys[:1000]], "IsTruncated": len(self.keys) > 1000}

    def _list_multipart_uploads(self, *, MaxUploads: int, EncodingType: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert EncodingType == "url", "XML cannot carry every key"
        shown = [quote_plus(key) if self._encodes else key for key in self.uploads[:MaxUploads]]
        answer: dict[str, Any] = {"Uploads": [{"Key": key, "UploadId": "u"} for key in shown]}
        return {**answer, "EncodingType": "url"} if self._encodes else answer

    def _delete_objects(self, *, Delete: dict[str, Any]) -> None:  # noqa: N803 - boto3's
        for one in Delete["Objects"]:
            self.keys.remove(one["Key"])

    def _delete_object(self, *, Key: str, VersionId: str) -> None:  # noqa: ARG002, N803 - boto3's
        self.keys.remove(Key)

    def _abort_multipart_upload(self, *, Key: str, UploadId: str) -> None:  # noqa: ARG002, N803 - boto3's
        self.uploads.remove(Key)


@pytest.mark.parametrize("encodes", [True, False])
def test_uploads_of_every_key_are_counted_and_removed(*, encodes: bool) -> None:
    """A store that does not encode keys shows them as they are."""
    bucket = Bucket(keys=[], uploads=["a b+c", "a\x01b" if encodes else "a%20b"], encodes=encodes)
    assert count_contents(bucket).uploads == 2
    remove_page(bucket, "bucket")
    assert not bucket.uploads


@pytest.mark.parametrize("what", ["keys", "uploads"])
def test_what_only_a_request_of_its_own_removes_goes_in_small_steps(what: str) -> None:
    """A slow store takes a second for each, and a look that takes ten minutes counts as stuck."""
    found = [f"\x01{n}" for n in range(200)]
    bucket = Bucket(keys=found if what == "keys" else [], uploads=found if what == "uploads" else [])
    while found:
        before = len(bucket.asked)
        assert remove_page(bucket, "bucket")
        assert len(bucket.asked) - before <= 33
