"""The API of evaluation cases: out to whatever runs them, and in with what came of it."""

import hashlib
import io
import json
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.parsers import StrictJSONParser
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.exporting import canonical, chosen
from incidents.evaluations.formats import junit, results
from incidents.evaluations.formats.exports import FORMATS
from incidents.evaluations.formats.reports import MOST_RESULTS, MOST_TRIES, RunReport, UnreadableReport
from incidents.evaluations.permissions import get_system, require_write
from incidents.evaluations.runs import CaseResult, EvaluationRun
from incidents.evaluations.taking import Taken, take
from incidents.response.vocabulary import Severity
from incidents.years import check_year

LARGEST = 16 * 1024 * 1024
_TEXTS = ("run_id", "model", "prompt_version", "revision")


class ExportAskedSerializer(serializers.Serializer[Any]):
    """Which cases, and in which format. Tags and severities are joined by commas; a case has all of the tags."""

    format = serializers.ChoiceField(choices=[(key, one.name) for key, one in FORMATS.items()], default="jsonl")
    tags = serializers.CharField(max_length=400, required=False)
    severity = serializers.CharField(max_length=100, required=False)

    def validate_tags(self, tags: str) -> list[str]:
        return [tag.strip().lower() for tag in tags.split(",") if tag.strip()]

    def validate_severity(self, severities: str) -> list[str]:
        named = [one.strip().lower() for one in severities.split(",") if one.strip()]
        if unknown := [one for one in named if one not in Severity.values]:
            raise serializers.ValidationError(f"“{unknown[0]}” is no severity; they are {', '.join(Severity.values)}.")
        return named


class _OneFormat(Scoped):
    """`format` says how cases and results are written, not how the answer is rendered."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        renderer = JSONRenderer()
        return renderer, renderer.media_type


class EvaluationCasesView(_OneFormat):
    """A system’s cases in force that the key’s person may see, as a file for whatever runs them."""

    parameters = tuple(ExportAskedSerializer().fields)

    @extend_schema(
        tags=["evaluations"],
        parameters=[
            ExportAskedSerializer,
            OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="An ETag."),
        ],
        responses={
            **{(200, kind): OpenApiTypes.STR for kind in sorted({one.media_type for one in FORMATS.values()})},
            304: OpenApiResponse(description="Nothing changed since that ETag."),
        },
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        system = get_system(self.person, slug)
        asked = validated(ExportAskedSerializer(data=request.query_params.dict()))
        cases = EvaluationCase.objects.visible_to(self.person).filter(system=system)
        cases = chosen(cases, tags=asked.get("tags", ()), severities=asked.get("severity", ()))
        export = FORMATS[asked["format"]]
        body = export.write(canonical(cases.for_list())).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if _names(request.headers.get("If-None-Match", ""), etag):
            answer = HttpResponse(status=status.HTTP_304_NOT_MODIFIED)
        else:
            answer = HttpResponse(body, content_type=f"{export.media_type}; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{system.slug}-cases.{export.ending}"'
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        return answer


def _names(header: str, etag: str) -> bool:
    """Whether an If-None-Match names this ETag; a weak one does too, since what is compared is the whole body."""
    return header.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in header.split(",")}


class BodyParser(BaseParser):
    """The body as it came: which format it is, the address says."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ParseError(f"A run may have {LARGEST // 1024 // 1024} MiB at most.")
        return body


class CaseResultWriteSerializer(serializers.Serializer[Any]):
    case = serializers.CharField(max_length=60, help_text="Its key, such as case-1.")
    passed = serializers.IntegerField(min_value=0, max_value=MOST_TRIES, help_text="How many tries passed.")
    tries = serializers.IntegerField(min_value=1, max_value=MOST_TRIES, default=1)
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="The case’s version that was run; else its newest."
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, help_text="Why a try failed.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["passed"] > attrs["tries"]:
            raise serializers.ValidationError({"passed": "It cannot pass more often than it was tried."})
        return attrs


class EvaluationRunWriteSerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField(max_length=100, help_text="Yours. The same id again is the same run.")
    model = serializers.CharField(max_length=100, required=False, allow_blank=True)
    prompt_version = serializers.CharField(max_length=100, required=False, allow_blank=True)
    revision = serializers.CharField(max_length=100, required=False, allow_blank=True)
    url = serializers.URLField(max_length=2000, required=False, allow_blank=True)
    ran_at = serializers.DateTimeField(validators=[check_year], required=False)
    results = serializers.ListField(child=CaseResultWriteSerializer(), min_length=1, max_length=MOST_RESULTS)


class EvaluationRunAskedSerializer(serializers.Serializer[Any]):
    """In which format the body is, and what such a body does not say. What is given here wins over the body."""

    format = serializers.ChoiceField(choices=EvaluationRun.Format.choices, default=EvaluationRun.Format.FAULTLINE)
    run_id = serializers.CharField(max_length=100, required=False)
    model = serializers.CharField(max_length=100, required=False)
    prompt_version = serializers.CharField(max_length=100, required=False)
    revision = serializers.CharField(max_length=100, required=False)
    url = serializers.URLField(max_length=2000, required=False)


class CaseResultSerializer(serializers.ModelSerializer[CaseResult]):
    case = serializers.CharField(source="case.key", read_only=True)

    class Meta:
        model = CaseResult
        fields = ("case", "version", "passed", "tries", "verdict", "because")
        read_only_fields = fields


class EvaluationRunSerializer(serializers.ModelSerializer[EvaluationRun]):
    """What came of a run. `unknown` are keys that name no case that you may see; `unnamed` counts results without one."""

    results: Any = serializers.SerializerMethodField()
    unknown: Any = serializers.SerializerMethodField()
    retired: Any = serializers.SerializerMethodField()
    false_alarms_at_most: Any = serializers.SerializerMethodField()
    alerts: Any = serializers.SerializerMethodField()

    class Meta:
        model = EvaluationRun
        fields: ClassVar = [
            *("run_id", "format", "model", "prompt_version", "revision", "url", "ran_at"),
            *("results", "unknown", "retired", "false_alarms_at_most", "alerts"),
        ]
        read_only_fields = fields

    @property
    def taken(self) -> Taken:
        taken: Taken = self.context["taken"]
        return taken

    def get_results(self, run: EvaluationRun) -> CaseResultSerializer(many=True):  # type: ignore[valid-type]  # read by the schema
        return CaseResultSerializer(self.taken.results, many=True).data

    def get_unknown(self, run: EvaluationRun) -> list[str]:
        return self.taken.unknown[:100]

    def get_retired(self, run: EvaluationRun) -> list[str]:
        return self.taken.retired[:100]

    def get_false_alarms_at_most(self, run: EvaluationRun) -> float:
        return self.taken.false_alarms

    def get_alerts(self, run: EvaluationRun) -> bool:
        return not self.taken.alerts_are_off


class EvaluationRunsView(_OneFormat):
    """Report a run: how often each case passed. What got worse becomes an alert."""

    parameters = tuple(EvaluationRunAskedSerializer().fields)
    parser_classes = [BodyParser]

    @extend_schema(
        tags=["evaluations"],
        parameters=[EvaluationRunAskedSerializer],
        request={"application/json": EvaluationRunWriteSerializer},
        responses={201: EvaluationRunSerializer, 200: EvaluationRunSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        system = get_system(self.person, slug)
        require_write(self.person, system, to="report runs of its evaluation cases")
        asked = validated(EvaluationRunAskedSerializer(data=request.query_params.dict()))
        body: bytes = request.data if isinstance(request.data, bytes) else b""
        report = _read(body, asked)
        run_id = asked.get("run_id") or report.run_id
        if not run_id:
            raise serializers.ValidationError({"run_id": ["Give the run an id: the same id again is the same run."]})
        digest = hashlib.sha256(body).hexdigest()
        taken = take(system, report, run_id=run_id, digest=digest, by=self.person)
        answer = EvaluationRunSerializer(taken.run, context={"taken": taken}).data
        return Response(answer, status=status.HTTP_200_OK if taken.again else status.HTTP_201_CREATED)


def _read(body: bytes, asked: dict[str, Any]) -> RunReport:
    """What the body says in its format, with what the address says of it. Raises ValidationError."""
    try:
        match asked["format"]:
            case EvaluationRun.Format.JUNIT:
                report = junit.read(body)
            case EvaluationRun.Format.PROMPTFOO:
                report = results.of_promptfoo(_json(body))
            case EvaluationRun.Format.INSPECT:
                report = results.of_inspect(_json(body))
            case _:
                report = results.of_ours(_ours(body))
    except UnreadableReport as error:
        raise serializers.ValidationError({"body": [str(error)]}) from None
    return report.with_facts({name: asked[name] for name in (*_TEXTS, "url") if name in asked})


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableReport("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise UnreadableReport("The body must be a JSON object.")
    return value


def _ours(body: bytes) -> dict[str, Any]:
    sent: dict[str, Any] = StrictJSONParser().parse(io.BytesIO(body))
    return validated(EvaluationRunWriteSerializer(data=sent))
