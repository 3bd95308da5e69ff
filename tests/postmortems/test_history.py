"""The history: every version stays, and what one author wrote in one go is read as one."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.history import Stretch, history
from incidents.postmortems.merge import compare, is_rewritten
from incidents.postmortems.sections import Revision, Section

As = Callable[[User], Client]


def write(section: Section, *texts: str, by: User) -> None:
    for text in texts:
        section.write(text, by=by, base=section.text)


def stretches(postmortem: Postmortem) -> list[tuple[str, list[str]]]:
    return [
        (str(entry.last.by), [version.revision.text for version in entry.versions])
        for entry in history(postmortem, user=User.objects.get(name="Mara Okafor"))
        if isinstance(entry, Stretch)
    ]


def test_what_one_author_rewrites_in_one_go_is_one_entry_with_every_version(
    postmortem: Postmortem, mara: User, as_person: As
) -> None:
    section = postmortem.sections.get(key="summary")
    texts = ["It took three hours.", "It took five hours.", "Five hours passed."]
    write(section, *texts, by=mara)
    assert stretches(postmortem) == [("Mara Okafor", texts)]
    page = as_person(mara).get(f"{postmortem.get_absolute_url()}history/").text
    assert "3 versions, from" in page
    for revision in section.revisions.exclude(text=texts[-1]):
        assert f"/history/{revision.pk}/restore/" in page


def test_another_author_and_a_long_pause_begin_a_new_one(postmortem: Postmortem, mara: User, jo: User) -> None:
    section = postmortem.sections.get(key="summary")
    write(section, "One.", "Two.", by=mara)
    write(section, "Three.", by=jo)
    write(section, "Four.", by=mara)
    write(section, "Five.", by=mara)
    late = timezone.now() + timedelta(minutes=31)
    Revision.objects.filter(text="Five.").update(at=late, began_at=late)
    assert [texts for _, texts in stretches(postmortem)] == [["Five."], ["Four."], ["Three."], ["One.", "Two."]]


def test_a_move_in_between_begins_a_new_one_and_another_part_does_not(postmortem: Postmortem, mara: User) -> None:
    section, other = postmortem.sections.get(key="summary"), postmortem.sections.get(key="impact")
    write(section, "One.", by=mara)
    write(other, "Elsewhere.", by=mara)
    write(section, "Two.", by=mara)
    postmortem.set_depth("deep", by=mara)
    write(section, "Three.", by=mara)
    assert [texts for _, texts in stretches(postmortem)] == [["Three."], ["One.", "Two."], ["Elsewhere."]]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("It took three hours.", "It took five hours.", False),
        ("", "All of it is new, and nothing was there before.", False),
        ("A line.", "A line. And a whole paragraph that somebody added to it afterwards.", False),
        ("Der Fehler lag im Index.", "The alias pointed at an old snapshot.", True),
        ("It took three hours.", "", False),
    ],
)
def test_what_was_rewritten_for_the_most_part_is_shown_as_two_texts(was: str, now: str, expected: bool) -> None:
    assert is_rewritten(compare(was, now)) is expected


def test_two_texts_are_shown_whole_and_a_change_of_a_word_is_marked(
    postmortem: Postmortem, mara: User, jo: User, as_person: As
) -> None:
    section = postmortem.sections.get(key="summary")
    write(section, "Der Fehler lag im Index.", by=mara)
    write(section, "The alias pointed at an old snapshot.", by=jo)
    write(section, "The alias pointed at an older snapshot.", by=mara)
    page = as_person(mara).get(f"{postmortem.get_absolute_url()}history/").text
    assert "<del>Der Fehler lag im Index.</del>" in page
    assert "<ins>The alias pointed at an old snapshot.</ins>" in page
    assert "<del>old</del><ins>older</ins>" in page


def test_what_is_shown_of_two_texts_is_text(postmortem: Postmortem, mara: User, jo: User, as_person: As) -> None:
    section = postmortem.sections.get(key="summary")
    write(section, "<b>One</b>", by=mara)
    write(section, "<i onclick=x>Other words</i>", by=jo)
    page = as_person(mara).get(f"{postmortem.get_absolute_url()}history/").text
    assert "&lt;i onclick=x&gt;Other words&lt;/i&gt;" in page
    assert "<i onclick" not in page
