"""What readers outside are not shown: who took part, and addresses that only people inside can open."""

import re
from collections.abc import Iterable

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Length
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.reviews import participants

_A_PERSON = "a person"
_HANDLE = re.compile(r"(?<![\w/@.])@[A-Za-z0-9][\w.+-]*")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


class Redaction:
    """Takes people out of the texts of one postmortem: names in full, first names of who took part, handles, addresses."""

    def __init__(self, postmortem: Postmortem, texts: Iterable[str]) -> None:
        every = "\n".join(texts)
        named = User.objects.annotate(every=Value(every), length=Length("name")).filter(
            length__gt=2, every__icontains=F("name")
        )
        people = {*named[:500], *participants(postmortem.incidents)}
        people |= {person for person in (postmortem.owner, postmortem.published_by) if person}
        whole = {" ".join(person.name.split()) for person in people}
        first = {name.partition(" ")[0] for name in whole}
        names = sorted((name for name in whole | first if len(name) > 2), key=len, reverse=True)
        self._names = re.compile(rf"(?<!\w)@?(?:{'|'.join(map(re.escape, names))})(?!\w)") if names else None
        escaped = [escape(name) for name in names]
        self._in_html = re.compile(rf"(?<!\w)@?(?:{'|'.join(map(re.escape, escaped))})(?!\w)") if names else None

    def text(self, text: str) -> str:
        text = _ADDRESS.sub("an address", text)
        text = self._names.sub(_A_PERSON, text) if self._names else text
        return _HANDLE.sub(_A_PERSON, text)

    def html(self, html: str) -> SafeString:
        """The same within rendered text, outside of its tags, and without links to what is inside."""
        html = without_inside_links(html)
        parts = re.split(r"(<[^>]*>)", html)
        rewritten = [part if part.startswith("<") else self._words(part) for part in parts]
        return mark_safe("".join(rewritten))  # noqa: S308 - tags as they were cleaned; words lose some and gain plain ones

    def _words(self, words: str) -> str:
        words = _ADDRESS.sub("an address", words)
        words = self._in_html.sub(_A_PERSON, words) if self._in_html else words
        return _HANDLE.sub(_A_PERSON, words)


def without_inside_links(html: str) -> SafeString:
    """Words written for the outside, without handles and links that only people inside can follow."""
    inside = rf'<a href="(?:{re.escape(settings.BASE_URL)}|mailto:|/)[^"]*"[^>]*>(.*?)</a>'
    html = re.sub(inside, r"\1", html, flags=re.DOTALL)
    html = re.sub(r'<span class="mention">@[^<]*</span>', _A_PERSON, html)
    return mark_safe(html)  # noqa: S308 - rendered safely; only links and handles are taken out
