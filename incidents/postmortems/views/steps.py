"""Its way from the first draft to its readers, and what it is about: each is one verb of the postmortem."""

import re

from django.contrib import messages
from django.shortcuts import redirect

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role, User
from incidents.postmortems import readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import freeze_facts, suspects
from incidents.postmortems.forms import PersonChoice, TriggerForm
from incidents.postmortems.guide import Depth
from incidents.postmortems.permissions import at, may_review, verb
from incidents.postmortems.reviews import Amendment, Review
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, Request, change, visible_or_404


@change(WrongStatus, Refused)
def begin(request: Request, number: int) -> Answer:
    """Start the postmortem now instead of waiting for it to start itself; `another` starts a further one."""
    incident = get_incident_to_change(request.user, number, to="start its postmortem")
    begun = Postmortem.objects.begin(incident, by=request.user, another="another" in request.POST)
    return redirect(visible_or_404(Postmortem.objects.visible_to(request.user), pk=begun.pk))


def _reason(request: Request) -> str:
    return request.POST.get("reason", "")[:1000]


@verb(Role.RESPONDER, to="send it to review")
def send_to_review(request: Request, postmortem: Postmortem) -> None:
    postmortem.send_to_review(by=request.user, missing=[str(item) for item in readiness.missing(postmortem)])
    if not postmortem.reviews.exists():
        messages.info(request, "Now ask for a review. At least one reviewer must come from outside the response.")


@verb(Role.RESPONDER, to="send it back")
def send_back(request: Request, postmortem: Postmortem) -> None:
    postmortem.send_back(by=request.user, reason=_reason(request))


@verb(Role.LEAD, to="publish it")
def publish(request: Request, postmortem: Postmortem) -> None:
    postmortem.publish(by=request.user, facts=freeze_facts(postmortem))
    messages.success(request, "Published to everyone who can see the incident.")


@verb(Role.LEAD, to="mark it as not required")
def excuse(request: Request, postmortem: Postmortem) -> None:
    postmortem.excuse(by=request.user, reason=_reason(request))


@verb(Role.LEAD, to="reopen it")
def reopen(request: Request, postmortem: Postmortem) -> None:
    postmortem.reopen(by=request.user, reason=_reason(request))


@verb(Role.RESPONDER, to="choose its owner")
def assign(request: Request, postmortem: Postmortem) -> None:
    postmortem.assign(_person(request, otherwise="Choose an owner."), by=request.user)


def _person(request: Request, *, otherwise: str) -> User:
    form = PersonChoice(request.POST)
    if not form.is_valid():
        raise Refused(otherwise)
    person: User = form.cleaned_data["person"]
    return person


@verb(Role.RESPONDER, to="ask for a review")
def ask(request: Request, postmortem: Postmortem) -> Answer:
    reviewer = _person(request, otherwise="Choose a reviewer.")
    Review.objects.ask(postmortem, reviewer, by=request.user)
    messages.success(request, f"{reviewer} was asked to review it.")
    return at(postmortem, "review")


@verb(None, to="review it")
def decide(request: Request, postmortem: Postmortem) -> Answer:
    if not may_review(request.user, postmortem):
        raise Refused("The owner cannot approve it; neither can someone who responds in no team.")
    reviews.decide(
        postmortem,
        by=request.user,
        verdict=request.POST.get("verdict", ""),
        checks=request.POST.getlist("checks"),
        note=request.POST.get("note", "")[:2000],
    )
    if postmortem.state == Postmortem.State.APPROVED:
        messages.success(request, "Approved. A lead can publish it now.")
    return at(postmortem, "review")


@verb(Role.RESPONDER, to="amend it")
def amend(request: Request, postmortem: Postmortem) -> Answer:
    text, key = request.POST.get("text", ""), request.POST.get("key", "")[:24]
    amendment = Amendment.write(postmortem, text, key=key, by=request.user)
    return at(postmortem, f"amendment-{amendment.pk}")


@verb(Role.RESPONDER, to="rename it")
def rename(request: Request, postmortem: Postmortem) -> None:
    postmortem.rename(request.POST.get("title", ""), by=request.user)


@verb(Role.RESPONDER, to="choose its depth")
def set_depth(request: Request, postmortem: Postmortem) -> None:
    depth = request.POST.get("depth", "")
    if depth not in Depth.values:
        raise Refused("Choose brief, standard or deep.")
    postmortem.set_depth(depth, by=request.user)


@verb(Role.RESPONDER, to="change which incidents it covers")
def cover(request: Request, postmortem: Postmortem) -> None:
    number = re.fullmatch(r"(?i)\s*(?:inc-|#)?(\d{1,9})\s*", request.POST.get("incident", ""), re.ASCII)
    other = Incident.objects.visible_to(request.user).filter(number=int(number[1])).first() if number else None
    if other is None:
        raise Refused("Enter an incident number, such as INC-12.")
    if "drop" in request.POST:
        postmortem.uncover(other, by=request.user)
    else:
        postmortem.cover(other, by=request.user)


@verb(Role.RESPONDER, to="set its trigger")
def set_trigger(request: Request, postmortem: Postmortem) -> Answer:
    form = TriggerForm.of(postmortem, suspects(postmortem.incidents), request.POST)
    if not form.is_valid():
        raise Refused("Choose a trigger.")
    triggered_by, text = form.cleaned_data["triggered_by"], form.cleaned_data["text"]
    postmortem.set_trigger(triggered_by, change=form.change, text=text, by=request.user)
    return at(postmortem, "trigger")
