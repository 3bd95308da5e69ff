"""The page of one incident, and what can be changed about it."""

from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from incidents import taxonomy
from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response import story
from incidents.response.buttons import at
from incidents.response.containment_options import MOST_NAMED, MOST_SHOWN, options_for
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.forms.containments import ContainForm
from incidents.response.forms.declare import proposal
from incidents.response.forms.incident import AttachForm, MergeForm, NoteForm, ResolveForm
from incidents.response.forms.roles import TaskForm
from incidents.response.forms.updates import UpdateForm
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.measures import ORDERED, out_of_order
from incidents.response.permissions import get_incident, get_incident_to_change, visible_merge
from incidents.response.roles import LEAD, Handover, ResponseRole
from incidents.response.track import track
from incidents.response.updates import Cadence, next_update_due
from incidents.response.vocabulary import CLOCKS, Severity
from incidents.web.durations import span
from incidents.web.markdown import render as render_markdown
from incidents.web.request import Answer, Request, page, whole_number


@page
@require_safe
def incident(request: Request, number: int) -> Answer:
    """One incident. Asked by its own live trigger, only what changed."""
    incident = get_incident(request.user, number)
    pulse = story.pulse(incident, user=request.user)
    if request.htmx and request.GET.get("seen") == pulse:
        return HttpResponse(status=204)
    template = "response/incident.html#live" if request.htmx else "response/incident.html"
    return render(request, template, _context(request, incident, pulse=pulse))


def render_incident(request: Request, incident: Incident, *, status: int, **more: Any) -> HttpResponse:
    """Show the page again with what could not be done, and what was typed."""
    return render(request, "response/incident.html", _context(request, incident, **more), status=status)


def _context(request: Request, incident: Incident, *, pulse: str = "", **more: Any) -> dict[str, Any]:
    may = incident.is_changeable_by(request.user)
    show = request.GET.get("show", "story")
    show = show if show in story.VIEWS else "story"
    order = "oldest" if request.GET.get("order") == "oldest" else "newest"
    by = _author(request)
    events, count = story.entries(incident, user=request.user, show=show, by=by, order=order, most=_most(request))
    return (
        _forms(request, incident, may=may)
        | {
            "incident": incident,
            "pulse": pulse or story.pulse(incident, user=request.user),
            "entries": [(event, story.curation_of(event)) for event in events],
            "event_count": count,
            "more": len(events) + story.A_SCREEN if count > len(events) else None,
            "show": show,
            "order": order,
            **_authors(request, incident, events, by=by, show=show, all_here=count == len(events)),
            "views": [(name, label) for name, (label, _) in story.VIEWS.items()],
            **_clocks(incident),
            "mode": taxonomy.failure_mode(incident.failure_mode) if incident.failure_mode else None,
            "changes": incident.changes_before(),
            "record_change": _record_change(incident) if may else "",
            "upstream": Incident.objects.visible_to(request.user).open_upstream_of(incident.system)[:3]
            if incident.is_open
            else [],
            "may_respond": may,
            "merged_into": visible_merge(incident, request.user),
            "links": Link.objects.of(incident, user=request.user),
            "files": list(incident.attachments.for_list()),
            "worst": Incident.objects.visible_to(request.user).worst_open(),
            **_work(request, incident),
            **_proposed(incident, may=may),
            **_what_it_did(incident),
            **_in_short(incident),
            **_what_stakeholders_hear(request, incident, may=may),
        }
        | more
    )


def _author(request: Request) -> str:
    """Whose entries are asked for: the key of a person, or Faultline's; empty for everybody's."""
    asked = request.GET.get("by", "")
    return asked if asked == story.FAULTLINE or whole_number(asked, digits=9) is not None else ""


def _authors(
    request: Request, incident: Incident, events: list[Event], *, by: str, show: str, all_here: bool
) -> dict[str, Any]:
    """Who can be chosen as the author of entries. Read off the entries themselves where all are here."""
    if all_here and not by:
        people: list[User | None] = sorted({event.by for event in events if event.by}, key=str)
        people += [None] if any(event.by is None for event in events) else []
    else:
        people = story.authors(incident, user=request.user, show=show)
    names = [(str(person.pk), str(person)) if person else (story.FAULTLINE, "Faultline") for person in people]
    author = f"By {dict(names).get(by, 'nobody here')}" if by else "By anyone"
    return {"authors": names if len(names) > 1 or by else [], "by": by, "author": author}


def _most(request: Request) -> int:
    asked = whole_number(request.GET.get("most", ""), digits=5) or 0
    return max(story.A_SCREEN, min(asked, 5000))


def _forms(request: Request, incident: Incident, *, may: bool) -> dict[str, Any]:
    """The forms of the page, for those who may use them. A number that it could not be merged into comes in the address."""
    if not may:
        return {}
    return {
        "note_form": NoteForm(),
        "task_form": TaskForm(auto_id="task_%s"),
        "merge_form": MergeForm(request.GET if "into" in request.GET else None, user=request.user, auto_id="merge_%s"),
        "resolve_form": ResolveForm(auto_id="resolve_%s"),
        "attach_form": AttachForm(auto_id="attach_%s"),
    }


def _work(request: Request, incident: Incident) -> dict[str, Any]:
    """Who does what, what was done about it, and what is left to do."""
    people_by_role: dict[str, list[Any]] = {}
    for assignment in incident.assignments.select_related("person"):
        people_by_role.setdefault(assignment.role_id, []).append(assignment.person)
    roles = [(role, people_by_role.get(role.code, [])) for role in ResponseRole.objects.filter(is_active=True)]
    tasks = list(incident.tasks.select_related("owner"))
    prefetch_related_objects([incident], Prefetch("containments", Containment.objects.select_related("by")))
    containments = list(incident.containments.all())
    tried = {containment.action for containment in containments if containment.state != Containment.State.DROPPED}
    untried = options_for(incident, user=request.user, but=tried) if incident.is_open else []
    others = [(role, people) for role, people in roles if role.code != LEAD]
    done = sum(task.done_at is not None for task in tasks)
    return {
        "roles": [(role, people) for role, people in others if people],
        "open_roles": [role for role, people in others if not people],
        "named_people": list(incident.people.order_by("name")) if incident.private else [],
        "tasks": tasks,
        "tasks_done": done,
        "tasks_open": len(tasks) - done,
        "unchecked": any(one.state == Containment.State.DONE and one.worked is None for one in containments),
        "handovers": list(
            Handover.objects.offered().filter(incident=incident).select_related("role", "giver", "taker")
        ),
        "containments": containments,
        "contain_form": ContainForm(
            incident=incident,
            worked=[option.action.code for option in untried if option.worked_in],
            auto_id="contain_%s",
        ),
        "untried": untried[:MOST_SHOWN],
        "more_untried": untried[MOST_SHOWN:],
        "most_named": f":{MOST_NAMED}",
        "worked_before": list(dict.fromkeys(number for option in untried for number in option.worked_in))[:MOST_NAMED],
    }


def _proposed(incident: Incident, *, may: bool) -> dict[str, Any]:
    """What kind of failure its title reads like, while nobody has said."""
    found = proposal(incident.title) if may and incident.is_open and not incident.category else None
    return {"proposal": found, "failure": (found.failure_mode or found.category) if found else ""}


def _what_it_did(incident: Incident) -> dict[str, Any]:
    assessed = impacts.Impact.objects.filter(incident=incident).first()
    exposures = list(incident.exposures.all())
    answers = impacts.answers(assessed)
    unknown = [question.label for question, words in answers if not words]
    return {
        "answers": answers,
        "unknown_answers": ", ".join([*unknown[:2], "…"] if len(unknown) > 2 else unknown).lower(),
        "impact_in_short": _impact_in_short(exposures, [words for _, words in answers if words]),
        "exposures": exposures,
        "suggested": impacts.suggested_for(incident, impact=assessed, exposures=exposures)
        if incident.is_open
        else None,
    }


def _impact_in_short(exposures: list[impacts.Exposure], known: list[str]) -> str:
    """The impact in a few words, for where there is no room for more; empty where nobody has said anything."""
    if exposures:
        return f"≈ {exposures[0].in_short}"
    return known[0] if known else ""


def _in_short(incident: Incident) -> dict[str, str]:
    """Panels in a few words, for where they are folded."""
    severity = "SEV?" if incident.severity == Severity.UNKNOWN else incident.get_severity_display()
    facts = [severity, str(incident.system or "no system"), str(incident.lead or "no lead")]
    silence = span(incident.silence) if incident.silence is not None else "unknown"
    return {"facts_in_short": " · ".join(facts), "clocks_in_short": f"silence {silence}"}


def _record_change(incident: Incident) -> str:
    """Where somebody records a change of its system; empty where it has none."""
    if incident.system is None:
        return ""
    return f"{reverse('change-new', args=[incident.system.slug])}?next={incident.get_absolute_url()}"


def _what_stakeholders_hear(request: Request, incident: Incident, *, may: bool) -> dict[str, Any]:
    followers = list(incident.followers.values_list("person_id", flat=True))
    cadences = Cadence.by_severity()
    return {
        "update_form": UpdateForm(incident=incident, cadences=cadences, auto_id="update_%s") if may else None,
        "next_due": next_update_due(incident, cadences),
        "now": timezone.now(),
        "last_update": incident.updates.select_related("by").first(),
        "follower_count": len(followers),
        "is_following": request.user.pk in followers,
    }


def _clocks(incident: Incident) -> dict[str, Any]:
    """The six clocks: each by itself, all of them on one line, and those that stand in an impossible order."""
    times = {name: getattr(incident, name) for name in CLOCKS}
    unknown = incident.unknown_clocks
    words = dict.fromkeys(CLOCKS, "not yet" if incident.is_open else "never") | dict.fromkeys(unknown, "unknown")
    words |= {name: f"unknown: {reason}" for name, reason in incident.why_unknown().items()}
    until, now = incident.impact_started_until, timezone.now() if incident.is_open else None
    return {
        "clocks": [(name, label, f"clock-{name}", times[name], words[name]) for name, label in CLOCKS.items()],
        "track": track(times, unknown=unknown, until=until, now=now),
        "odd_clocks": _odd_clocks(incident),
    }


def _odd_clocks(incident: Incident) -> list[str]:
    """Name the pairs of clocks that stand in an impossible order; they are incident, never silently put right."""
    labels = [CLOCKS[clock].lower() for clock in ORDERED]
    wrong = out_of_order([getattr(incident, clock) for clock in ORDERED])
    return [f"{labels[later]} before {labels[earlier]}" for earlier, later in wrong]


@page
@require_http_methods(["POST"])
def add_note(request: Request, number: int) -> Answer:
    incident = get_incident_to_change(request.user, number, to="write here")
    form = NoteForm(request.POST)
    if not form.is_valid():
        return render_incident(request, incident, status=422, note_form=form)
    note = incident.add_note(form.cleaned_data["text"], by=request.user)
    return at(incident, f"event-{note.event.pk}")


@page
@require_http_methods(["POST"])
def preview(request: Request) -> Answer:
    """Show what somebody is writing as it will look."""
    return render(request, "web/_preview.html", {"html": render_markdown(request.POST.get("text", ""))})
