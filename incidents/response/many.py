"""One act on several incidents: each is done or refused by itself, and what was refused is said."""

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.core.exceptions import ValidationError

from incidents.errors import Refused, WrongStatus
from incidents.people.permissions import NotAllowed
from incidents.response.incident import Incident
from incidents.web.request import Request

MOST = 500
MOST_NAMED = 5


def chosen(request: Request) -> list[Incident]:
    """The incidents that were selected, of those that the person may see. Raises Refused where none was."""
    typed = request.POST.getlist("number")[:MOST]
    numbers = [int(number) for number in typed if number.isascii() and number.isdigit() and len(number) <= 9]
    if not numbers:
        raise Refused("Select incidents first, with x or their checkboxes.")
    return list(Incident.objects.visible_to(request.user).filter(number__in=numbers).order_by("number"))


def do_to_each(
    request: Request,
    incidents: Iterable[Incident],
    act: Callable[[Incident], object],
    *,
    label: str,
    for_everybody: bool = False,
) -> None:
    """Do it to each, and say how often it was done and why not to the others. Only those who may change an incident do
    it, unless it is `for_everybody`."""
    done, refused = 0, []
    for incident in incidents:
        try:
            if not for_everybody and not incident.is_changeable_by(request.user):
                raise NotAllowed("only responders of its team can do that.")
            act(incident)
            done += 1
        except (WrongStatus, NotAllowed, ValidationError) as refusal:
            refused.append(f"{incident}: {' '.join(getattr(refusal, 'messages', [str(refusal)]))}")
    if done:
        messages.success(request, f"{label}: done for {done}.")
    if refused:
        more = f" And {len(refused) - MOST_NAMED} more." if len(refused) > MOST_NAMED else ""
        messages.error(request, " ".join(refused[:MOST_NAMED]) + more)
