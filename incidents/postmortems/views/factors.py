"""Contributing factors."""

from incidents.errors import Refused
from incidents.people.models import Role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor
from incidents.postmortems.forms import FactorForm
from incidents.postmortems.permissions import at, verb
from incidents.web.request import Answer, Request, visible_or_404


@verb(Role.RESPONDER, to="add factors")
def add_factor(request: Request, postmortem: Postmortem) -> Answer:
    form = FactorForm(request.POST)
    if not form.is_valid():
        raise Refused("Choose a factor, and say in a sentence how it contributed.")
    Factor.objects.add(postmortem, by=request.user, **form.cleaned_data)
    return at(postmortem, "factors")


@verb(Role.RESPONDER, to="change factors")
def change_factor(request: Request, postmortem: Postmortem, pk: int) -> Answer:
    factor: Factor = visible_or_404(postmortem.factors.select_related("postmortem"), pk=pk)
    if "remove" in request.POST:
        factor.remove()
    else:
        factor.rewrite(text=request.POST.get("text", ""), evidence=request.POST.get("evidence", ""))
    return at(postmortem, "factors")
