"""Files that belong to an incident."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from incidents.response.attachments import Attachment
from incidents.response.buttons import at, valid, verb
from incidents.response.forms.incident import AttachForm
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident
from incidents.web.request import Answer, Request, page, visible_or_404


@verb("attach files")
def attach(request: Request, incident: Incident) -> Answer:
    form = AttachForm(request.POST, request.FILES)
    file = Attachment.objects.attach(incident, valid(form)["file"], by=request.user)
    messages.success(request, f"{file} was attached.")
    return at(incident, "files")


@page
@require_safe
def attachment(request: Request, number: int, pk: int) -> Answer:
    """The bytes of a file. Only pictures are incident; everything else is saved, so that nothing in it runs here."""
    incident = get_incident(request.user, number)
    file: Attachment = visible_or_404(incident.attachments.all(), pk=pk)
    kind = file.content_type if file.is_picture else "application/octet-stream"
    answer = HttpResponse(bytes(file.content), content_type=kind)
    answer["Content-Disposition"] = _disposition(file)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def _disposition(file: Attachment) -> str:
    return content_disposition_header(as_attachment=not file.is_picture, filename=file.name) or "attachment"


@verb("remove files")
def detach(request: Request, incident: Incident, *, pk: int) -> Answer:
    file: Attachment = visible_or_404(incident.attachments.all(), pk=pk)
    file.incident = incident
    file.remove(by=request.user)
    return at(incident, "files")
