"""Texts as their reader sees them: with the incidents they name told in words, and the people they name told."""

import re
from collections.abc import Iterable

from django.db.models import Q
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from incidents.people.handles import handle_of, people_with_handles
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.sections import Section
from incidents.response.incident import Incident
from incidents.web.addresses import address_pattern
from incidents.web.markdown import incidents_in, mentioned, render

MOST_UNFURLED = 100


def titles(texts: Iterable[str], *, user: User | None) -> dict[int, str]:
    """What the incidents named in the texts are called, among those the user may see; one query."""
    numbers = sorted({number for text in texts for number in incidents_in(text)})[:MOST_UNFURLED]
    if not numbers or user is None:
        return {}
    return {
        incident.number: f"{incident.title} ({incident.get_severity_display()}, {incident.get_status_display().lower()})"
        for incident in Incident.objects.visible_to(user).filter(number__in=numbers)
    }


def unfurled(text: str, known: dict[int, str]) -> SafeString:
    """Render a text, and say beside every INC-12 what that is."""
    html = render(text)
    if not known:
        return html

    def unfold(link: re.Match[str]) -> str:
        title = known.get(int(link[1]))
        return f'{link[0]}<span class="unfurled"> {escape(title)}</span>' if title else link[0]

    link = rf'<a href="{address_pattern("incident")}">INC-\1</a>'
    return mark_safe(re.sub(link, unfold, html))  # noqa: S308 - rendered safely; titles are escaped


def people_named(texts: Iterable[str]) -> list[User]:
    """Whom the texts name as @mara."""
    return people_with_handles({handle for text in texts for handle in mentioned(text)})


def suggest_people(words: str, *, most: int = 6) -> list[tuple[str, str]]:
    """Handles and names that begin with what somebody types after an @."""
    words = words.strip()[:60]
    people = User.objects.active().filter(Q(name__icontains=words) | Q(email__istartswith=words))[:most]
    return [(handle_of(person), person.name) for person in people]


def tell_the_named(postmortem: Postmortem, section: Section, *, before: str, after: str, by: User) -> None:
    """Mail those who are named now and were not before, once for each section."""
    fresh = mentioned(after) - mentioned(before)
    if not fresh:
        return
    people = [person for person in people_named([after]) if handle_of(person) in fresh and person != by]
    postmortem.tell(
        "mention",
        people,
        f"{by} mentioned you in the postmortem of {postmortem.incident}",
        f"Under “{section.title}”.",
        key=f"named:{section.pk}",
        path=f"{postmortem.get_absolute_url()}#{section.key}",
    )
