"""A report outside of its page: its incidents as CSV or JSON, all of it as data, a picture for the mail, a PDF."""

import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from PIL import Image, ImageDraw, ImageFont

from incidents.people.models import User
from incidents.reports.decide import ToDecide
from incidents.reports.document import Trends
from incidents.reports.learning import Learning
from incidents.reports.scope import Asked
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS
from incidents.web import pdf
from incidents.web.csv_lines import csv_lines

_COLUMNS = (
    *"number title status severity kind category failure_mode system team noticed_by".split(),
    *CLOCKS,
    "impact_started_until",
    "impact_method",
)


def rows(user: User, asked: Asked) -> Iterator[dict[str, Any]]:
    """The incidents that a report counts, the oldest first; times are UTC."""
    since, until = asked.period.bounds()
    counted = asked.scope.of(Incident.objects.visible_to(user).filter(declared_at__gte=since, declared_at__lt=until))
    ordered = counted.select_related("system", "team").prefetch_related("exposures").order_by("declared_at", "pk")
    for incident in ordered.iterator(500):
        facts = {name: getattr(incident, name) for name in _COLUMNS}
        yield facts | {
            "system": incident.system.slug if incident.system else "",
            "team": incident.team.slug if incident.team else "",
            "silence_seconds": int(incident.silence.total_seconds()) if incident.silence is not None else None,
            "exposure": "; ".join(f"{exposure.label}: {exposure}" for exposure in incident.exposures.all()),
        }


def as_csv(user: User, asked: Asked) -> Iterator[str]:
    return csv_lines(rows(user, asked))


def as_data(trends: Trends, learning: Learning, to_decide: ToDecide) -> dict[str, Any]:
    """All that the page says, as plain data. Addresses in it are paths of this Faultline."""
    return {"decide": asdict(to_decide), "trends": asdict(trends), "learning": asdict(learning)}


def as_pdf(context: dict[str, Any]) -> bytes:
    """Draw the report on real pages. Raises NoPdf where the machine cannot."""
    # Style sheets of the page do not reach into a drawing, so each takes its own with it. It is ours: nothing to escape.
    html = render_to_string("reports/print.html", context | {"svg_style": mark_safe(pdf.style("paper_chart.css"))})  # noqa: S308
    return pdf.draw(html, pdf.style("paper.css"), pdf.style("paper_report.css"))


# The picture in the mail, where no style sheet and no SVG is drawn: the same columns, in pixels.

_TONES = {
    "sev1": "#8f1322",
    "sev2": "#c2410c",
    "sev3": "#e8b931",
    "sev4": "#c9d1de",
    "drift": "#4338ca",
    "retrieval": "#2f9e8f",
    "feedback_loop": "#b15be8",
    "agent_action": "#6d1445",
    "data_quality": "#6b5a00",
    "model_release": "#6b7684",
    "output_safety": "#26303d",
    "none": "#9aa3af",
}
_SCALE = 2  # for sharp screens


def picture(data: dict[str, Any]) -> bytes:
    """Draw the columns of a report as PNG, 720 by 250 points, twice as many pixels."""
    volume = data["trends"]["volume"]
    chart = volume["columns"]
    image = Image.new("RGB", (chart["width"] * _SCALE, (chart["height"] + 30) * _SCALE), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(11 * _SCALE)

    def at(x: float, y: float) -> tuple[float, float]:
        return x * _SCALE, y * _SCALE

    def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
        return [at(left, top), at(right, bottom)]

    for tick in chart["y_ticks"]:
        pen.line(box(32, tick["at"], chart["width"], tick["at"]), fill="#d9dde3", width=_SCALE)
        pen.text(at(27, tick["at"]), tick["text"], fill="#5b6472", font=font, anchor="rm")
    for bar in chart["bars"]:
        where = box(bar["x"], bar["y"], bar["x"] + bar["width"], bar["y"] + bar["height"])
        pen.rectangle(where, fill=_TONES.get(bar["tone"], "#9aa3af"))
    for total in chart["totals"]:
        pen.text(at(total["x"], total["y"]), total["label"], fill="#27303d", font=font, anchor="ms")
    for tick in chart["x_ticks"]:
        pen.text(at(tick["at"], 212), tick["text"], fill="#5b6472", font=font, anchor="ms")
    for limit in (chart["limit"], chart["floor"]):
        if limit is not None:
            for dash in range(32, chart["width"], 6):
                pen.line(box(dash, limit, dash + 2, limit), fill="#5b6472", width=_SCALE)
    x = 32.0
    for tone, name in volume["legend"]:
        pen.rectangle(box(x, 230, x + 9, 239), fill=_TONES.get(tone, "#9aa3af"))
        pen.text(at(x + 13, 235), name, fill="#27303d", font=font, anchor="lm")
        x += 26 + pen.textlength(name, font=font) / _SCALE
    file = io.BytesIO()
    image.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()
