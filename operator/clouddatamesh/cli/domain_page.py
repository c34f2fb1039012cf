"""A Domain on a screen."""

from collections.abc import Iterator

from rich.text import Text

from clouddatamesh.cli import pages
from clouddatamesh.cli.names import short
from clouddatamesh.cli.output import clean
from clouddatamesh.cli.paint import console, say_health
from clouddatamesh.view.domain import Course, DomainPage, Member


def print_domain(page: DomainPage) -> None:
    """What it is about, how it is, its team and training, and what it works with."""
    out = console()
    out.print(Text.assemble((clean(page.title), "bold"), f"  {short(page.key)}  ", say_health(page.health)))
    for _, said in page.description[:1]:
        out.print(clean(said))
    out.print()
    facts = [*page.facts, *((part.title(), said) for part, said in page.description[1:]), ("Profile", _profile(page))]
    out.print("\n".join(pages.aligned(facts)))
    pages.print_parts(
        {
            f"Team {clean(page.team)}".rstrip(): pages.columns([_member(member) for member in page.members]),
            "Training": _training(page),
            "Policies": pages.policies(page.violations),
            "Stakeholders": pages.columns(page.stakeholders),
            "Data sources": pages.columns(page.data_sources),
            "Data models": pages.columns(page.data_models),
            "Processing": pages.columns(page.processing),
            "Documentation": pages.documentation(page.documentation, page.home),
        }
    )
    for line in pages.trouble(page.health):
        out.print(line)


def _profile(page: DomainPage) -> str:
    if page.is_profile_hidden:
        return "you may not read it; docs/roles.md says which role may"
    if page.profile is None:
        return f"none; kubectl mesh init domain {page.key.name} writes one"
    return page.profile.message if not page.profile.is_well else page.profile.word


def _member(member: Member) -> list[str]:
    days = " ".join(part for part in (member.first and f"from {member.first}", member.last and f"to {member.last}") if part)
    return [member.username, member.name, member.role, days]


def _training(page: DomainPage) -> list[str]:
    courses = pages.columns([_course(course) for course in page.training])
    people = [[f"  {one.state}", one.training, one.username, one.until and f"until {one.until}"] for one in page.trained]
    return [*courses, *pages.columns([row for row in people if row[0].strip() != "current"])]


def _course(course: Course) -> list[str]:
    return [course.name, ", ".join(course.required_for) or "everybody", course.valid_for, ", ".join(_counts(course)), course.url]


def _counts(course: Course) -> Iterator[str]:
    counts = {"current": course.current, "due": course.due, "overdue": course.overdue}
    return (f"{count} {state}" for state, count in counts.items() if count is not None)
