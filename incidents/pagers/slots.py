"""What pages of lower slices show of pagers that answer. Each begins with what the person may see; see shell/slots.py."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from incidents.notifications.destinations import Destination, may_manage
from incidents.pagers.models import PagerAddress, PagerPerson
from incidents.pagers.readers import READERS
from incidents.people.models import User


def channel_facts(request: HttpRequest, channel: Destination) -> str:
    """Whether a pager answers, and when it was last heard."""
    user = request.user
    if not channel.is_pager or not isinstance(user, User):
        return ""
    if not Destination.objects.visible_to(user).filter(pk=channel.pk).exists():
        return ""
    context = {
        "channel": channel,
        "can_answer": channel.kind in READERS,
        "address": PagerAddress.objects.filter(pk=channel.pk).first(),
        "unknown": PagerPerson.objects.filter(address=channel.pk, person=None).count(),
        "may_manage": may_manage(user, channel.team),
    }
    return render_to_string("pagers/slots/channel.html", context, request=request)
