"""Whom a text names as @mara: the part of the address before the @, where only one person has it."""

from collections.abc import Collection

from django.db.models import Value
from django.db.models.functions import Lower, StrIndex, Substr

from incidents.people.models import User


def handle_of(person: User) -> str:
    return person.email.partition("@")[0].lower()


def people_with_handles(handles: Collection[str]) -> list[User]:
    """The active people who are meant; a handle that several people share means nobody."""
    if not handles:
        return []
    local = Lower(Substr("email", Value(1), StrIndex("email", Value("@")) - 1))
    by_handle: dict[str, list[User]] = {}
    for person in User.objects.active().annotate(handle=local).filter(handle__in=handles):
        by_handle.setdefault(handle_of(person), []).append(person)
    return [people[0] for people in by_handle.values() if len(people) == 1]
