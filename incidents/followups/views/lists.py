"""The list of follow-ups."""

from typing import Any

from django.db.models import Count, Q
from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.followups.listing import BY_HAND, as_rows, choices, narrowed_by, of_tab
from incidents.followups.models import FollowUp
from incidents.followups.rows import FollowUpQuerySet
from incidents.followups.states import UNFINISHED
from incidents.web.csv_lines import csv_lines
from incidents.web.paging import A_PAGE
from incidents.web.request import Answer, Request, narrowed, page, whole_number


@page
@require_safe
def follow_ups(request: Request) -> Answer:
    """My own by default; overdue ones say so."""
    visible = FollowUp.objects.visible_to(request.user)
    show = request.GET.get("show", "mine")
    rows = list(_chosen(request, show).for_list().after(request.GET.get("after", ""))[: A_PAGE + 1])
    unfinished = Q(state__in=UNFINISHED)
    context = {
        "follow_ups": rows[:A_PAGE],
        "after": rows[A_PAGE - 1].place if len(rows) > A_PAGE else "",
        "show": show,
        "choices": choices(request.user, request.GET),
        "words": request.GET.get("q", ""),
        "is_filtered": any(request.GET.get(name) for name in BY_HAND),
        "chosen_count": sum(bool(request.GET.get(name)) for name in BY_HAND if name != "q"),
        "counts": visible.aggregate(
            mine=Count("pk", filter=unfinished & Q(owner=request.user)),
            open=Count("pk", filter=unfinished),
            overdue=Count("pk", filter=unfinished & Q(due_on__lt=timezone.localdate())),
        ),
    }
    return render(request, "followups/list.html", context)


@page
@require_safe
def export(request: Request) -> Any:
    """What the list shows, all pages of it, as CSV."""
    rows = as_rows(_chosen(request, request.GET.get("show", "mine")))
    answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="follow-ups-{timezone.localdate()}.csv"'
    return answer


def _chosen(request: Request, show: str) -> FollowUpQuerySet:
    visible = FollowUp.objects.visible_to(request.user)
    number = whole_number(request.GET.get("incident", ""))
    chosen = of_tab(visible, show, user=request.user) if number is None else visible.filter(incident__number=number)
    chosen = narrowed(request, chosen, dates={"due": "due_on", "created": "created_at"})
    return narrowed_by(chosen, request.GET, user=request.user)
