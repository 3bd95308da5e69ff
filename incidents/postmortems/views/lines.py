"""Filled-in lines, reworded by people."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import Fact, facts_of
from incidents.postmortems.lines import EditedLine
from incidents.postmortems.permissions import at, find, require
from incidents.web.request import Answer, Request, change, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def line(request: Request, slug: str) -> Answer:
    """Reword a filled-in line, leave it out, or let it follow the record again."""
    postmortem = find(request, slug)
    key = request.POST.get("key") or request.GET.get("key", "")
    section, fact = _fact(postmortem, key)
    if request.method == "POST":
        return _put_line(request, slug=slug, key=key, section=section, was=fact.record or fact.text)
    context = {"postmortem": postmortem, "incident": postmortem.incident, "fact": fact, "section_key": section}
    return render(request, "postmortems/_line.html" if request.htmx else "postmortems/line.html", context)


def _fact(postmortem: Postmortem, key: str) -> tuple[str, Fact]:
    for section, facts in facts_of(postmortem).items():
        for fact in facts:
            if fact.key == key:
                return section, fact
    raise Http404


@change(WrongStatus, Refused)
def _put_line(request: Request, *, slug: str, key: str, section: str, was: str) -> Answer:
    postmortem = find(request, slug)
    require(request.user, Role.RESPONDER, postmortem, to="edit it")
    if "follow" in request.POST:
        EditedLine.follow_again(postmortem, key)
    else:
        text = "" if "leave_out" in request.POST else request.POST.get("text", "")
        EditedLine.put(postmortem, key, text=text, was=was, by=request.user)
    return at(postmortem, section)
