"""Pages of a bucket's contents as odd stores answer them."""

from typing import Any

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
