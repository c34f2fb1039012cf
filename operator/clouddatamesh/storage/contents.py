"""What a bucket holds: counted, and taken away a page at a time so that it can stop and go on anywhere."""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_plus

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.bucket import Contents
from clouddatamesh.storage.errors import translate_code

PAGE: Final = 1000
_SINGLE: Final = 30
"""Of what only a request of its own removes, at most so many at a time: a slow store takes a second for each."""
_LOCKED: Final = ("AccessDenied", "InvalidRequest", "ObjectLocked", "MethodNotAllowed")
_UNSPEAKABLE: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry, or (a carriage return) carries as something else: a bulk request with it fails as a whole."""
_Call = Callable[..., dict[str, Any]]


def count_contents(call: _Call) -> Contents:
    """One page of versions and delete markers, and one of uploads: enough to know that there is something; `call` asks of the bucket."""
    page, uploads = _first_page(call), _uploads(call, PAGE)
    return Contents(
        versions=len(page.get("Versions", ())),
        delete_markers=len(page.get("DeleteMarkers", ())),
        uploads=len(uploads.get("Uploads", ())),
        more=bool(page.get("IsTruncated") or uploads.get("IsTruncated")),
    )


def _first_page(call: _Call) -> dict[str, Any]:
    """The first page that holds something; some stores answer empty ones before it. A page that leads back to itself is the last."""
    before: dict[str, str] = {}
    page = call("list_object_versions", MaxKeys=PAGE)
    while page.get("IsTruncated") and not page.get("Versions") and not page.get("DeleteMarkers"):
        marks = {mark: page[f"Next{mark}"] for mark in ("KeyMarker", "VersionIdMarker") if page.get(f"Next{mark}")}
        if not marks or marks == before:
            break
        before = marks
        page = call("list_object_versions", MaxKeys=PAGE, **marks)
    return page


def _uploads(call: _Call, most: int) -> dict[str, Any]:
    """Keys are asked for in a form that XML can carry, which botocore does by itself for versions only."""
    page = call("list_multipart_uploads", MaxUploads=most, EncodingType="url")
    encoded = page.get("EncodingType") == "url"
    return {**page, "Uploads": [{**one, "Key": unquote_plus(one["Key"]) if encoded else one["Key"]} for one in page.get("Uploads", ())]}


def remove_page(call: _Call, name: str) -> str:
    """Remove at most a page of versions and markers, and after the last of them some uploads. What was first; empty where nothing was."""
    page = _first_page(call)
    found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
    if bulk := [one for one in objects if not _UNSPEAKABLE.search(one["Key"])]:
        answer = call("delete_objects", Delete={"Objects": bulk, "Quiet": True})
        _check_deleted(answer.get("Errors") or [], name)
    single = [one for one in objects if _UNSPEAKABLE.search(one["Key"])][:_SINGLE]
    for one in single:
        call("delete_object", **one)
    uploads = () if page.get("IsTruncated") or single else _uploads(call, _SINGLE)["Uploads"]
    for upload in uploads:
        call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])
    names = (f"{item['Key']} {item.get('VersionId') or item.get('UploadId')}" for item in (*found, *uploads))
    return next(names, "")


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
