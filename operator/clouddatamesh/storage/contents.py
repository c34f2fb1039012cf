"""What a bucket holds: counted, and taken away a page at a time so that it can stop and go on anywhere."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.bucket import Contents
from clouddatamesh.storage.errors import translate_code

PAGE: Final = 1000
_BOUND: Final = 10_000
_LOCKED: Final = ("AccessDenied", "InvalidRequest", "ObjectLocked", "MethodNotAllowed")
_Call = Callable[..., dict[str, Any]]


def count_contents(call: _Call) -> Contents:
    """Versions and delete markers together up to the bound, then uploads; `call` makes one request about the bucket."""
    versions = markers = uploads = 0
    more = False
    for page in _pages(call, "list_object_versions"):
        versions += len(page.get("Versions", ()))
        markers += len(page.get("DeleteMarkers", ()))
        more = bool(page.get("IsTruncated"))
        if versions + markers >= _BOUND:
            break
    for page in _pages(call, "list_multipart_uploads"):
        uploads += len(page.get("Uploads", ()))
        if uploads >= _BOUND:
            more = more or bool(page.get("IsTruncated"))
            break
    return Contents(versions, markers, uploads, more)


_MARKS: Final = {
    "list_object_versions": ("MaxKeys", "KeyMarker", "VersionIdMarker"),
    "list_multipart_uploads": ("MaxUploads", "KeyMarker", "UploadIdMarker"),
}


def _pages(call: _Call, operation: str) -> Iterator[dict[str, Any]]:
    limit, *marks = _MARKS[operation]
    page = call(operation, **{limit: PAGE})
    yield page
    while page.get("IsTruncated"):
        page = call(operation, **{limit: PAGE}, **{mark: page[f"Next{mark}"] for mark in marks if page.get(f"Next{mark}")})
        yield page


def remove_page(call: _Call, name: str) -> bool:
    """Remove at most a page of versions and markers, and one of uploads. True when nothing was left behind them."""
    page = call("list_object_versions", MaxKeys=PAGE)
    found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    if found:
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        answer = call("delete_objects", Delete={"Objects": objects, "Quiet": True})
        _check_deleted(answer.get("Errors") or [], name)
    uploads = call("list_multipart_uploads", MaxUploads=PAGE)
    for upload in uploads.get("Uploads", ()):
        call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])
    return not page.get("IsTruncated") and not uploads.get("IsTruncated")


def _check_deleted(errors: list[dict[str, Any]], name: str) -> None:
    """DeleteObjects answers 200 with errors inside; a locked object is one that somebody must decide about."""
    if errors:
        raise _explain(errors, name)


def _explain(errors: list[dict[str, Any]], name: str) -> MeshError:
    first = min(errors, key=lambda error: (str(error.get("Code")), str(error.get("Key"))))
    code = str(first.get("Code") or "Unknown")
    what = f"DeleteObjects on bucket {name} for {len(errors)} objects"
    error = translate_code(code, str(first.get("Message") or ""), what)
    return Terminal(reasons.BUCKET_NOT_EMPTY, error.message) if code in _LOCKED else error
