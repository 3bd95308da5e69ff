"""The page of a follow-up, and what is filled in about it."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from incidents.followups.due import due_in_days
from incidents.followups.forms import DrillForm, FollowUpForm, LookForm, ProofForm
from incidents.followups.models import FollowUp
from incidents.followups.permissions import may_change, require_change
from incidents.followups.proofs import Proof
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, Request, page, visible_or_404


@page
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, number: int) -> Answer:
    incident = get_incident_to_change(request.user, number, to="add follow-ups")
    form = FollowUpForm(request.POST or None, initial={"owner": request.user.pk, "due_on": due_in_days(14)})
    proof_form = ProofForm(request.POST or None, incident=incident, user=request.user)
    if request.method == "POST" and form.is_valid() and proof_form.is_valid():
        try:
            with transaction.atomic():
                follow_up = FollowUp.objects.add(incident, by=request.user, **form.cleaned_data)
                if proof_form.plan:
                    Proof.objects.plan(follow_up, by=request.user, **proof_form.plan)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(follow_up)
    context = {"form": form, "proof_form": proof_form, "incident": incident}
    return render(request, "followups/add.html", context, status=422 if form.is_bound else 200)


def find(request: Request, pk: int) -> FollowUp:
    visible = FollowUp.objects.visible_to(request.user)
    return visible_or_404(visible.select_related("incident__team", "incident__system", "owner", "created_by"), pk=pk)


@page
@require_safe
def follow_up(request: Request, pk: int) -> Answer:
    found = find(request, pk)
    proof = Proof.objects.filter(follow_up=found).select_related("person", "drill", "case").first()
    context = {
        "follow_up": found,
        "incident": found.incident,
        "may_change": may_change(request.user, found),
        "proof": proof,
        "standing": proof.standing() if proof else None,
        "recurrences": found.recurrences.seen_by(request.user)[:20],
        "look_form": LookForm(auto_id="look_%s"),
        "drill_form": DrillForm(user=request.user, auto_id="drill_%s"),
    }
    return render(request, "followups/follow_up.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> Answer:
    """Change anything about it but its state."""
    found = find(request, pk)
    require_change(request.user, found)
    names = ("title", "check_text", "kind", "due_on", "priority", "description")
    initial = {name: getattr(found, name) for name in names} | {"owner": found.owner_id}
    form = FollowUpForm(request.POST or None, initial=initial, was_due=found.due_on)
    if request.method == "POST" and form.is_valid():
        try:
            found.edit(by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(found)
    context = {"form": form, "incident": found.incident, "follow_up": found}
    return render(request, "followups/add.html", context, status=422 if form.is_bound else 200)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit_proof(request: Request, pk: int) -> Answer:
    """Choose what will show that it works, or something else."""
    found = find(request, pk)
    require_change(request.user, found)
    proof = Proof.objects.filter(follow_up=found).first()
    names = ("days", "alert_name", "runs", "look_on")
    initial = {"proof": proof.kind, "person": proof.person_id, "case": proof.case_id} if proof else {}
    initial |= {name: value for name in names if (value := getattr(proof, name, None))}
    form = ProofForm(request.POST or None, initial=initial, incident=found.incident, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            if not form.plan:
                raise ValidationError("Choose what will show it.")
            Proof.objects.plan(found, by=request.user, **form.plan)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(found)
    context = {"proof_form": form, "incident": found.incident, "follow_up": found}
    return render(request, "followups/edit_proof.html", context, status=422 if form.is_bound else 200)
