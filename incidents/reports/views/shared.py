"""What the pages of a live report and of a saved one share."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone

from incidents.reports import export
from incidents.reports.scope import Asked, read
from incidents.web.pdf import NoPdf
from incidents.web.request import Answer, Request


def asked_of(request: Request) -> Asked:
    return read(request.GET.dict(), today=timezone.now().date())


def context_of(trends: Any, learning: Any, to_decide: Any) -> dict[str, Any]:
    """What the templates of a report take: its parts, or what they were frozen as.

    None to decide where a report was saved before that was gathered.
    """
    as_of = trends["as_of"] if isinstance(trends, dict) else trends.as_of
    parts = {"trends": trends, "learning": learning, "to_decide": to_decide}
    return parts | {"as_of": datetime.fromisoformat(as_of).astimezone(UTC)}


def as_pdf(request: Request, context: dict[str, Any], instead: str) -> Answer:
    """Answer with a PDF, or where the machine cannot draw one say so on the page that can be printed."""
    try:
        pages = export.as_pdf(context)
    except NoPdf as trouble:
        messages.info(request, str(trouble))
        return redirect(instead)
    answer = Answer(pages, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="report.pdf"'
    return answer
