"""What happened to a postmortem, and going back."""

from django.contrib import messages
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.people.models import Role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.history import history
from incidents.postmortems.permissions import at, find, verb
from incidents.postmortems.sections import Revision
from incidents.web.request import Answer, Request, page, visible_or_404

MOST_HISTORY = 200  # entries


@page
@require_safe
def past(request: Request, slug: str) -> Answer:
    """Everything that happened to it, with each change of text."""
    postmortem = find(request, slug)
    entries = history(postmortem, user=request.user)
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "entries": entries[:MOST_HISTORY],
        "more": max(0, len(entries) - MOST_HISTORY),
    }
    return render(request, "postmortems/history.html", context)


@verb(Role.RESPONDER, to="restore it")
def restore(request: Request, postmortem: Postmortem, pk: int) -> Answer:
    """Restore a section to an earlier revision; what it says now stays in the history."""
    revisions = Revision.objects.filter(section__postmortem=postmortem).select_related("section")
    revision: Revision = visible_or_404(revisions, pk=pk)
    section = revision.section
    section.postmortem = postmortem
    section.write(revision.text, by=request.user, base=section.text)
    messages.success(request, f"“{section.title}” was restored.")
    return at(postmortem, section.key)
