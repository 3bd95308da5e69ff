"""The review meeting."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.errors import Refused
from incidents.people.models import Role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.postmortems.forms import TakeForm
from incidents.postmortems.meeting import ParkedFix
from incidents.postmortems.permissions import find, may_write, verb
from incidents.postmortems.prose import titles
from incidents.postmortems.sections import Section
from incidents.web.request import Answer, Request, first_error, page, visible_or_404, whole_number


@page
@require_safe
def meeting(request: Request, slug: str) -> Answer:
    """One part at a time, with a clock; ideas for fixes are parked until the end."""
    postmortem = find(request, slug)
    incidents = postmortem.incidents
    facts = facts_of(postmortem)
    parts = postmortem.parts()
    step = min(whole_number(request.GET.get("step", ""), digits=3) or 1, len(parts) + 1)
    part = parts[step - 1] if step <= len(parts) else None
    section = postmortem.sections.filter(key=part.key).first() if part else None
    parked = [
        (fix, TakeForm(auto_id=f"fix-{fix.pk}-%s")) for fix in postmortem.parked.select_related("by", "follow_up")
    ]
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "agenda": list(enumerate(parts, 1)),
        "step": step,
        "last": len(parts) + 1,
        "part": part,
        "section": section,
        "facts": facts.get(part.key, []) if part else [],
        "questions": postmortem.guide.asked(part, incidents) if part else [],
        "minutes": sum(part.minutes for part in parts) + 10,
        "parked": parked,
        "titles": titles([section.text] if section else [], user=request.user),
        "may_edit": may_write(request.user, postmortem) and postmortem.is_editable,
        "may_write": may_write(request.user, postmortem),
    }
    return render(request, "postmortems/meeting.html", context)


@verb(Role.RESPONDER, to="take notes")
def take_note(request: Request, postmortem: Postmortem, key: str) -> Answer:
    """Add what was said to the section."""
    section: Section = visible_or_404(postmortem.sections.all(), key=key)
    text = request.POST.get("text", "")[:10_000]
    if text.strip():
        section.add(text, by=request.user)
    return _step(request, postmortem)


@verb(Role.RESPONDER, to="park a fix")
def park(request: Request, postmortem: Postmortem) -> Answer:
    ParkedFix.park(postmortem, request.POST.get("text", ""), by=request.user)
    return _step(request, postmortem)


@verb(Role.RESPONDER, to="decide about fixes")
def decide_fix(request: Request, postmortem: Postmortem, pk: int) -> Answer:
    fix: ParkedFix = visible_or_404(postmortem.parked.all(), pk=pk)
    if "take" in request.POST:
        form = TakeForm(request.POST)
        if not form.is_valid():
            raise Refused(first_error(form.errors.values()))
        follow_up = fix.take(by=request.user, **form.cleaned_data)
        messages.success(request, f"“{follow_up.title}” is now a follow-up.")
    else:
        fix.drop(reason=request.POST.get("reason", ""))
    return _step(request, postmortem)


def _step(request: Request, postmortem: Postmortem) -> Answer:
    step = whole_number(request.POST.get("step", ""), digits=3) or 1
    return redirect(f"{reverse('postmortem-meeting', args=[postmortem.slug])}?step={step}")
