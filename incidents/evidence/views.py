"""The pages of samples: a list, one in detail, and how they come in."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from incidents.errors import WrongStatus
from incidents.evidence import redaction
from incidents.evidence.actions import SHOWN as SHOWN_ACTIONS
from incidents.evidence.actions import AgentAction, counts
from incidents.evidence.forms import (
    DigestForm,
    JudgeForm,
    KeepForm,
    OutputsForm,
    PasteForm,
    RedactForm,
    UploadForm,
    packed,
    unpacked,
)
from incidents.evidence.lane import steps
from incidents.evidence.rates import rate_of, wrong_rate
from incidents.evidence.readers.reading import MOST_BYTES, read
from incidents.evidence.readers.values import FileReading
from incidents.evidence.samples import Sample, SampleQuerySet
from incidents.response.buttons import valid, verb
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident, get_incident_to_change
from incidents.web.paging import A_PAGE, newest_first
from incidents.web.request import Answer, Request, page, visible_or_404

TABS = {"": "All", "open": "Not judged", "wrong": "Wrong", "right": "Right", "unclear": "Unclear", "drawn": "Drawn"}
SHOWN = 20  # records of a preview that are listed
_TO = "add evidence"


def _of(request: Request, incident: Incident) -> SampleQuerySet:
    return Sample.objects.visible_to(request.user).filter(incident=incident)


@page
@require_safe
def samples(request: Request, number: int) -> Answer:
    """All samples of an incident, the newest first, and how often a draw was wrong."""
    incident = get_incident(request.user, number)
    show = request.GET.get("show", "") if request.GET.get("show", "") in TABS else ""
    chosen = _of(request, incident)
    if show:
        chosen = chosen.drawn() if show == "drawn" else chosen.of_verdict(show)
    rows, older = newest_first(chosen.defer("context", "tool_calls"), before=request.GET.get("before", ""))
    states = list(_of(request, incident).values_list("verdict", "redacted_at", "frozen_at", "drawn"))
    context = {
        "incident": incident,
        "samples": rows,
        "older_than": older,
        "show": show,
        "tabs": [(name, label, _count(states, name)) for name, label in TABS.items()],
        "rate": rate_of([verdict for verdict, _, _, drawn in states if drawn]),
        "outputs_form": OutputsForm(),
        "unfrozen": sum(1 for state in states if state[2] is None),
        "confirmed": sum(1 for state in states if state[1]),
        "may_respond": incident.is_changeable_by(request.user),
    }
    return render(request, "evidence/list.html", context)


def _count(states: list[Any], show: str) -> int:
    if show == "drawn":
        return sum(1 for state in states if state[3])
    wanted = "" if show == "open" else show
    return len(states) if not show else sum(1 for state in states if state[0] == wanted)


@page
@require_safe
def rate(request: Request, number: int) -> Answer:
    """Offer what a drawn sample says of so many outputs to the impact; saving it there is for a person."""
    incident = get_incident_to_change(request.user, number, to="assess its impact")
    found, form = wrong_rate(incident, user=request.user), OutputsForm(request.GET)
    if found is None or not form.is_valid():
        messages.error(request, "Enter how many outputs there were, once drawn samples are judged.")
        return redirect("samples", number)
    numbers = found.of(form.cleaned_data["outputs"])
    evidence = request.build_absolute_uri(f"{reverse('samples', args=[number])}?show=drawn")
    query = urlencode(numbers | {"how": str(found), "evidence": evidence[:300]})
    return HttpResponseRedirect(f"{reverse('incident-exposure', args=[number, 'outputs'])}?{query}")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def paste(request: Request, number: int) -> Answer:
    incident = get_incident_to_change(request.user, number, to=_TO)
    form = PasteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        drawn = form.cleaned_data["drawn"]
        [added] = Sample.objects.add(incident, [form.exchange()], by=request.user, source="pasted", drawn=drawn)
        added.judge(form.cleaned_data["verdict"], by=request.user)
        messages.success(request, "The sample was added. Look for what must not leave.")
        return redirect("sample-redact", number, added.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "evidence/paste.html", {"form": form, "incident": incident}, status=status)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: Request, number: int) -> Answer:
    """Choose a file; what was read and what was not is shown before anything is kept."""
    incident = get_incident_to_change(request.user, number, to=_TO)
    form = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "evidence/upload.html", {"form": form, "incident": incident}, status=status)
    content = form.cleaned_data["file"].read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        form.add_error("file", "This file is larger than 1 MiB. Split it, or send it by the API.")
        return render(request, "evidence/upload.html", {"form": form, "incident": incident}, status=422)
    return _preview(request, incident, content, drawn=form.cleaned_data["drawn"])


def _preview(request: Request, incident: Incident, content: bytes, *, drawn: bool) -> Answer:
    reading = read(content)
    exchanges = [exchange for _, exchange in reading.exchanges]
    here = _of(request, incident).known_references(incident, exchanges)
    findings = [one for exchange in exchanges for one in redaction.findings(exchange)]
    kinds = [one.kind for one in findings]
    context = {
        "incident": incident,
        "reading": reading,
        "first": reading.exchanges[:SHOWN],
        "dropped": reading.dropped[:SHOWN],
        "known": sum(1 for exchange in exchanges if exchange.reference in here),
        "kinds": [(label, kinds.count(kind)) for kind, label in redaction.KINDS.items() if kind in kinds],
        "findings": findings[:SHOWN],
        "content": packed(content),
        "form": KeepForm(initial={"drawn": drawn, "redact": True}),
    }
    return render(request, "evidence/preview.html", context)


@verb(_TO)
def keep(request: Request, incident: Incident) -> Answer:
    """Keep what a file holds, read once more."""
    asked = valid(KeepForm(request.POST))
    reading: FileReading = read(unpacked(request.POST.get("content", "")[: MOST_BYTES * 2]))
    exchanges = [exchange for _, exchange in reading.exchanges]
    if asked["redact"]:
        exchanges = [redaction.propose(exchange) for exchange in exchanges]
    source = "trace" if reading.is_trace else "upload"
    added = Sample.objects.add(incident, exchanges, by=request.user, source=source, drawn=asked["drawn"])
    done = AgentAction.objects.append(incident, reading.acts, by=request.user, source="trace")
    messages.success(
        request,
        f"{len(added)} sample{'' if len(added) == 1 else 's'} and {done} action{'' if done == 1 else 's'} added.",
    )
    return redirect("samples", incident.number)


@verb(_TO)
def freeze(request: Request, incident: Incident) -> Answer:
    count = Sample.objects.freeze(incident, by=request.user)
    messages.success(request, f"{count} sample{' is' if count == 1 else 's are'} frozen now.")
    return redirect("samples", incident.number)


@page
@require_safe
def sample(request: Request, number: int, pk: int) -> Answer:
    incident = get_incident(request.user, number)
    row = _sample(request, incident, pk)
    return render(request, "evidence/sample.html", _context(request, incident, row))


def _sample(request: Request, incident: Incident, pk: int) -> Sample:
    rows = _of(request, incident).select_related("added_by", "judged_by", "redacted_by", "frozen_by", "system")
    row: Sample = visible_or_404(rows, pk=pk)
    return row


def _context(request: Request, incident: Incident, row: Sample) -> dict[str, Any]:
    others = _of(request, incident).order_by("pk").values_list("pk", flat=True)
    return {
        "incident": incident,
        "sample": row,
        "exchange": row.exchange,
        "findings": redaction.findings(row.exchange),
        "form": JudgeForm(initial={"was": row.verdict, "expected": row.expected, "must_not": row.must_not}),
        "verdicts": [("w", "wrong", "Wrong"), ("r", "right", "Right"), ("u", "unclear", "Unclear")],
        "next": others.filter(pk__gt=row.pk).first(),
        "before": others.filter(pk__lt=row.pk).last(),
        "may_respond": incident.is_changeable_by(request.user),
    }


@verb("judge samples")
def judge(request: Request, incident: Incident, *, pk: int) -> Answer:
    """Say whether the output was right, and go on to the next one that nobody has judged."""
    row = _sample(request, incident, pk)
    typed = valid(JudgeForm(request.POST))
    words = {name: typed[name] for name in ("expected", "must_not") if name in request.POST}
    row.judge(typed["verdict"], by=request.user, was=typed["was"] if "was" in request.POST else None, **words)
    later = _of(request, incident).of_verdict("open").filter(pk__gt=row.pk).order_by("pk").first()
    if later is None or row.verdict == "":
        return redirect("sample", incident.number, row.pk)
    return redirect("sample", incident.number, later.pk)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def redact(request: Request, number: int, pk: int) -> Answer:
    """Its texts with what looks personal or secret replaced; a person edits them, and says that they may leave."""
    incident = get_incident_to_change(request.user, number, to="redact samples")
    row = _sample(request, incident, pk)
    form = RedactForm(
        request.POST if request.method == "POST" else None, sample=row, proposed=redaction.propose(row.exchange)
    )
    status = 200
    if request.method == "POST":
        status = _redacted(request, row, form)
        if status == 302:
            return redirect("sample", number, pk)
    context = {"incident": incident, "sample": row, "form": form, "findings": redaction.findings(row.exchange)}
    return render(request, "evidence/redact.html", context, status=status)


def _redacted(request: Request, row: Sample, form: RedactForm) -> int:
    """Save the texts and confirm them where that was pressed; returns the status of the answer."""
    if not form.is_valid():
        return 422
    try:
        row.redact(form.exchange(), by=request.user, digest=form.cleaned_data["digest"])
        if request.POST.get("then") == "confirm":
            row.confirm_redaction(by=request.user, digest=row.digest)
    except WrongStatus as conflict:
        form.add_error(None, str(conflict))
        return 409
    except ValidationError as refusal:
        form.add_error(None, refusal.messages)
        return 422
    return 302


@verb("say what may leave")
def confirm(request: Request, incident: Incident, *, pk: int) -> Answer:
    row = _sample(request, incident, pk)
    row.confirm_redaction(by=request.user, digest=valid(DigestForm(request.POST))["digest"])
    return redirect("sample", incident.number, pk)


@verb("remove samples")
def remove(request: Request, incident: Incident, *, pk: int) -> Answer:
    _sample(request, incident, pk).remove(by=request.user)
    messages.success(request, "The sample was removed.")
    return redirect("samples", incident.number)


@page
@require_safe
def actions(request: Request, number: int) -> Answer:
    """What agents did, the newest first, by what became of it, by agent and by tool."""
    incident = get_incident(request.user, number)
    chosen = AgentAction.objects.visible_to(request.user).filter(incident=incident)
    asked = {name: request.GET.get(name, "")[:200] for name in ("agent", "tool")}
    chosen = chosen.filter(**{name: words for name, words in asked.items() if words})
    show = request.GET.get("show", "") if request.GET.get("show", "") in SHOWN_ACTIONS else ""
    place = request.GET.get("after", "")
    rows = list(chosen.shown_as(show).newest_first().after(place)[: A_PAGE + 1])
    is_last = len(rows) <= A_PAGE
    found = counts(chosen)
    context = {
        "incident": incident,
        "steps": steps(incident, rows[:A_PAGE], is_first=not place, is_last=is_last),
        "after": "" if is_last else rows[A_PAGE - 1].place,
        "show": show,
        "tabs": [(name, label, found[name]) for name, label in SHOWN_ACTIONS.items()],
        "asked": asked,
    }
    return render(request, "evidence/actions.html", context)
