"""Changing who is on call: the rota, overrides and swaps."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from incidents.errors import WrongStatus
from incidents.oncall import fetching
from incidents.oncall.cover import covers
from incidents.oncall.forms import CalendarForm, OverrideForm, PagerForm, PointerForm, RotaForm, SwapForm, span_of
from incidents.oncall.overrides import Override
from incidents.oncall.permissions import (
    may_edit,
    require_edit,
    require_offer,
    require_override,
    require_remove,
    require_withdraw,
)
from incidents.oncall.pointer import OnCall, OnCallKind, can_be_on_call
from incidents.oncall.rota import Rota
from incidents.oncall.schedule import Line, lines
from incidents.oncall.shifts import Duty, turns
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Role, Team, User
from incidents.people.permissions import require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404, whole_number

SWAPPABLE = timedelta(days=56)
PREVIEWED = 8
_ELSEWHERE = ("calendar", "pager", "nobody")


def _team(slug: str) -> Team:
    team: Team = visible_or_404(Team.objects.all(), slug=slug)
    return team


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit_rota(request: Request, slug: str) -> Answer:
    """Write the rota; what comes of it is shown before."""
    team = _team(slug)
    require_edit(request.user, team)
    pointer, rota = OnCall.of(team), Rota.objects.filter(team=team).first()
    members = [turn.person for turn in rota.turns.select_related("person")] if rota else []
    initial = _rota_facts(rota, request.user, team) | {"version": pointer.version}
    initial |= {f"person_{number}": str(person.pk) for number, person in enumerate(members, 1)}
    form = RotaForm(request.POST or None, initial=initial, team=team, keep=members)
    context = {"form": form, "team": team, "kind": "rota", "pointer": pointer}
    if "preview" in request.POST:
        place = "#preview" if request.htmx else ""
        return render(request, f"oncall/edit_rota.html{place}", context | _preview(form))
    if _done(request, form, lambda: _write(team, form, request.user)):
        messages.success(request, "The rota is saved.")
        return redirect("on-call-team", team.slug)
    shown = _preview(form if form.is_bound else RotaForm(_as_sent(initial), team=team, keep=members))
    return render(request, "oncall/edit_rota.html", context | shown, status=422 if form.is_bound else 200)


def _write(team: Team, form: RotaForm, user: User) -> None:
    Rota.write(team, people=form.people, base=form.cleaned_data["version"], by=user, **form.facts)


def _rota_facts(rota: Rota | None, user: User, team: Team) -> dict[str, Any]:
    rota = rota or Rota(name=f"{team} on call", time_zone=user.time_zone)
    return {
        name: getattr(rota, name) for name in ("name", "days", "weekday", "hands_over_at", "time_zone", "starts_on")
    }


def _as_sent(initial: dict[str, Any]) -> QueryDict:
    sent = QueryDict(mutable=True)
    sent.update({name: f"{value:%H:%M}" if name == "hands_over_at" else str(value) for name, value in initial.items()})
    return sent


def _preview(form: RotaForm) -> dict[str, Any]:
    """The next turns of the rota as it would be, each with its person."""
    plan, now = form.plan, timezone.now()
    if plan is None:
        return {"turns": None}
    begins = datetime.combine(plan.starts_on, plan.hands_over_at, timezone.get_current_timezone())
    since = max(now, begins - timedelta(days=1))
    people = {person.pk: person for person in form.people}
    found: list[Duty] = turns(plan, since, since + timedelta(days=plan.days * PREVIEWED))[:PREVIEWED]
    return {"turns": [(duty, people[duty.person]) for duty in found]}


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit_pointer(request: Request, slug: str, kind: str) -> Answer:
    """Let a calendar elsewhere or a pager say who is on call, or nobody."""
    team = _team(slug)
    require_edit(request.user, team)
    if kind not in _ELSEWHERE:
        raise Http404
    pointer = OnCall.of(team)
    form = _form_of(kind, pointer, request.POST or None)
    if _done(request, form, lambda: _point(team, kind, form.cleaned_data, request.user)):
        messages.success(request, "Saved.")
        return redirect("on-call-team", team.slug)
    context = {"form": form, "team": team, "kind": kind, "pointer": pointer}
    return render(request, "oncall/edit_pointer.html", context, status=422 if form.is_bound else 200)


def _form_of(kind: str, pointer: OnCall, sent: QueryDict | None) -> PointerForm:
    initial = {"version": pointer.version, "service": pointer.pager_service}
    if kind == "calendar":
        return CalendarForm(sent, initial=initial, has_address=bool(pointer.calendar_sealed))
    return (PagerForm if kind == "pager" else PointerForm)(sent, initial=initial)


def _point(team: Team, kind: str, fields: dict[str, Any], user: User) -> None:
    if kind == "calendar":
        fetching.use_calendar(team, fields["url"], base=fields["version"], by=user)
    else:
        service = fields.get("service", "")
        OnCall.point_at(team, OnCallKind(kind), base=fields["version"], by=user, pager_service=service)


@change()
def read_again(request: Request, slug: str) -> Answer:
    team = _team(slug)
    require_edit(request.user, team)
    fetching.ask_again(OnCall.of(team))
    messages.success(request, "The calendar is read again within a minute.")
    return redirect("on-call-team", team.slug)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def new_override(request: Request, slug: str) -> Answer:
    """Put somebody on call for a while; `start` and `end` of the address, in seconds, fill the form in."""
    team, user = _team(slug), request.user
    require_role(user, Role.RESPONDER, team=team, to="take a shift over")
    leads = may_edit(user, team)
    times = {f"{name}s_at": _second(request.GET.get(name, "")) for name in ("start", "end")}
    initial = {name: moment for name, moment in times.items() if moment} | {"person": user.pk}
    form = OverrideForm(request.POST or None, initial=initial, team=team, user=user, leads=leads)
    if _done(request, form, lambda: _override(team, form.cleaned_data, user)):
        messages.success(request, f"{form.cleaned_data['person']} is on call then.")
        return redirect("on-call-team", team.slug)
    context = {"form": form, "team": team, "leads": leads}
    return render(request, "oncall/override.html", context, status=422 if form.is_bound else 200)


def _override(team: Team, fields: dict[str, Any], user: User) -> None:
    require_override(user, team, fields["person"])
    Override.objects.add(team, by=user, **fields | {"replaces": fields["replaces"] == "instead"})


def _second(text: str) -> datetime | None:
    number = whole_number(text, digits=10)
    return (
        None
        if number is None
        else timezone.localtime(datetime.fromtimestamp(number, tz=timezone.get_current_timezone()))
    )


@change(WrongStatus)
def remove_override(request: Request, slug: str, pk: int) -> Answer:
    override: Override = visible_or_404(Override.objects.of(_team(slug)).select_related("team", "person"), pk=pk)
    require_remove(request.user, override)
    override.remove(by=request.user)
    messages.success(request, "The override is removed.")
    return redirect("on-call-team", slug)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def new_swap(request: Request, slug: str) -> Answer:
    """Offer a shift for another; who leads the team may exchange any two at once."""
    team, user = _team(slug), request.user
    require_role(user, Role.RESPONDER, team=team, to="offer a swap")
    leads, now = may_edit(user, team), timezone.now()
    ahead = [line for line in lines(covers([team], now, now + SWAPPABLE)[team.pk], now) if line.person]
    others = list(can_be_on_call(team)) if leads else list(can_be_on_call(team).exclude(pk=user.pk))
    form = SwapForm(
        request.POST or None,
        initial={"gives": request.GET.get("gives", "")},
        gives=ahead if leads else _of(user, ahead),
        takes=ahead if leads else [line for line in ahead if line.person != user],
        people=others,
    )
    at_once = leads and "at_once" in request.POST
    if _done(request, form, lambda: _swap(form, team, user, at_once=at_once)):
        messages.success(request, "The shifts are swapped." if at_once else "The swap is offered.")
        return redirect("on-call-team", team.slug)
    context = {"form": form, "team": team, "leads": leads, "has_shifts": bool(ahead if leads else _of(user, ahead))}
    return render(request, "oncall/swap.html", context, status=422 if form.is_bound else 200)


def _of(user: User, ahead: list[Line]) -> list[Line]:
    return [line for line in ahead if line.person == user]


def _swap(form: SwapForm, team: Team, user: User, *, at_once: bool) -> None:
    giver, taker, taken = form.given.person, form.taker, form.taken
    if giver is None or taker is None:
        raise Http404
    require_offer(user, team, giver)
    offer = ShiftSwap.objects.at_once if at_once else ShiftSwap.objects.offer
    offer(
        team,
        giver=giver,
        taker=taker,
        gives=span_of(form.given),
        takes=span_of(taken) if taken else None,
        by=user,
        note=form.cleaned_data["note"],
    )


@change(WrongStatus)
def answer_swap(request: Request, slug: str, pk: int, act: str) -> Answer:
    rows = ShiftSwap.objects.filter(team=_team(slug)).select_related("team", "giver", "taker")
    swap: ShiftSwap = visible_or_404(rows, pk=pk)
    match act:
        case "accept":
            swap.accept(by=request.user)
            messages.success(request, "You swapped shifts.")
        case "decline":
            swap.decline(by=request.user)
        case "withdraw":
            require_withdraw(request.user, swap)
            swap.withdraw(by=request.user)
        case _:
            raise Http404
    return redirect("on-call-team", slug)


def _done(request: Request, form: forms.Form, act: Callable[[], object]) -> bool:
    """Do what was sent, if it is right; what is refused is said on the form, which keeps what was filled in."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        act()
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
    except WrongStatus as refusal:
        form.add_error(None, str(refusal))
    else:
        return True
    return False
