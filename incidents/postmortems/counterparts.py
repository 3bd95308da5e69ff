"""Who and what an imported file means here: people by address or exact name, systems by name, factors by the list."""

import re

from incidents.people.models import User
from incidents.postmortems.factors import FactorGroup, FactorKind
from incidents.postmortems.portable import CauseOnRecord, FactorLine, Portable
from incidents.systems.models import Change, System


class Counterparts:
    """Finds rows for the words of a file, as far as the person who imports may see them; remembers what it found."""

    def __init__(self, by: User) -> None:
        self.by = by
        self._people: dict[str, User | None] = {}
        self._systems: dict[str, System | None] = {}
        self._kinds = list(FactorKind.objects.all())

    def person(self, words: str) -> User | None:
        """Whom “Name <address>” means: the address decides, else a name that one active person has."""
        if words not in self._people:
            self._people[words] = _person(words) if words.strip() else None
        return self._people[words]

    def system(self, name: str) -> System | None:
        if name not in self._systems:
            self._systems[name] = System.objects.visible_to(self.by).named(name) if name.strip() else None
        return self._systems[name]

    def factor(self, line: FactorLine) -> FactorKind | None:
        """The entry of the list, in the group that the file names where it names one."""
        named = [kind for kind in self._kinds if kind.name.lower() == line.factor.strip().lower()]
        return next(
            (kind for kind in named if kind.group == line.group), None if line.group else next(iter(named), None)
        )

    def change(self, cause: CauseOnRecord) -> Change | None:
        system = self.system(cause.system)
        if system is None or cause.happened_at is None:
            return None
        return Change.objects.filter(system=system, title=cause.title, happened_at=cause.happened_at).first()


def _person(words: str) -> User | None:
    address = re.search(r"[^\s<>()]{1,64}@[^\s<>()]{1,190}", words)
    people = User.objects.active()
    if handle := re.fullmatch(r"@([\w.+-]+)", words.strip()):
        named = list(people.filter(email__istartswith=f"{handle[1]}@")[:2])
        return named[0] if len(named) == 1 else None
    if address and (found := people.filter(email__iexact=address[0].strip(".,;")).first()):
        return found
    name = " ".join(re.sub(r"[<(][^<>()]*@[^<>()]*[>)]", " ", words).split())
    named = list(people.filter(name__iexact=name)[:2]) if name else []
    return named[0] if len(named) == 1 else None


def unmatched(document: Portable, matcher: Counterparts) -> list[str]:
    """A sentence for each person, system and factor that nobody here is, and what becomes of it."""
    remarks = [
        f"{role} “{who}” has no account here. The name is kept as text."
        for role, who in people_of(document)
        if who and matcher.person(who) is None
    ]
    remarks += [
        f"System “{incident.system}” is not known here. The name is kept as text."
        for incident in document.incidents
        if incident.system and matcher.system(incident.system) is None
    ]
    for line in document.factors:
        if matcher.factor(line) is None:
            known = line.group in FactorGroup.values
            outcome = (
                "It is added as retired: shown here, offered nowhere." if known else f"It was not taken: {line.text}"
            )
            remarks.append(f"Factor “{line.factor}” is not in the list. {outcome}")
    cause = document.trigger_change
    if cause and matcher.change(cause) is None:
        remarks.append(f"The change “{cause.title}” is not on record here. It is kept as text.")
    return list(dict.fromkeys(remarks))


def people_of(document: Portable) -> list[tuple[str, str]]:
    """Everybody whom the file gives a part in, but its authors, who stay text."""
    people = [("Owner", document.owner), ("Publisher", document.published_by)]
    people += [("Lead", incident.lead) for incident in document.incidents]
    people += [(f"Owner of the follow-up “{row.title}”,", row.owner) for row in document.follow_ups]
    return people + [("Author of an amendment", row.by) for row in document.amendments]
