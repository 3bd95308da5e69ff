"""A person's account and API keys, and the first administrator of an empty Faultline."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from incidents.people.models import ApiKey, KeyScope, Membership, Role, Team, Theme, User
from incidents.texts import check_readable
from incidents.web.fields import TimeZoneField
from incidents.web.request import Answer, Request, change, page, visible_or_404


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=120, validators=[check_readable])
    time_zone = TimeZoneField(help_text="All times are shown in it.")
    theme = forms.ChoiceField(choices=Theme.choices, required=False, label="Appearance")
    theme.needed = ""  # type: ignore[attr-defined]  # read by {% field %}: the first choice is one too
    digest = forms.BooleanField(required=False, label="Email me every Monday which postmortems were published")


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, label="What is it for?", validators=[check_readable])
    scopes = forms.MultipleChoiceField(
        choices=[
            (KeyScope.READ, "Read"),
            (KeyScope.WRITE, "Write, which includes reading"),
            (KeyScope.INGEST, "Send deliveries"),
        ],
        widget=forms.CheckboxSelectMultiple,
        label="What may it do?",
    )
    days = forms.IntegerField(min_value=1, max_value=3650, initial=90, label="Expires after (days)")


def _profile_form(request: Request, data: QueryDict | None = None) -> ProfileForm:
    return ProfileForm(data, initial={name: getattr(request.user, name) for name in ProfileForm.base_fields})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: Request) -> Answer:
    form = _profile_form(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        User.objects.filter(pk=request.user.pk).update(**form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("account")
    return _render_account(request, form=form, key_form=KeyForm(), status=422 if form.is_bound else 200)


def _render_account(request: Request, *, form: ProfileForm, key_form: KeyForm, status: int) -> HttpResponse:
    context = {
        "form": form,
        "key_form": key_form,
        "keys": request.user.api_keys.filter(revoked_at=None),
        "memberships": request.user.memberships.select_related("team"),
    }
    return render(request, "web/account.html", context, status=status)


@page
@require_http_methods(["POST"])
def create_key(request: Request) -> Answer:
    """Create an API key and show its secret once: it cannot be read again."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _render_account(request, form=_profile_form(request), key_form=form, status=422)
    key, secret = ApiKey.issue(
        request.user,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=timezone.now() + timedelta(days=form.cleaned_data["days"]),
    )
    answer = render(request, "web/key.html", {"key": key, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


@change()
def revoke_key(request: Request, pk: int) -> Answer:
    visible_or_404(request.user.api_keys.all(), pk=pk).revoke()
    messages.success(request, "Key revoked.")
    return redirect("account")


class FirstAdministratorForm(forms.Form):
    """Shown once, to whoever opens an empty Faultline."""

    name = forms.CharField(max_length=120, label="Your name", validators=[check_readable])
    email = forms.EmailField(max_length=254, label="Email")
    password = forms.CharField(
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text="At least 10 characters.",
    )
    team = forms.CharField(max_length=80, label="Your first team", initial="Response")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(
            password, User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))
        )
        return password


@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Create the first administrator; gone as soon as there is one."""
    if User.objects.exists():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _create_first(form)
        if user is None:
            raise Http404
        login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return redirect("home")
    return render(request, "web/first_run.html", {"form": form}, status=422 if form.is_bound else 200)


def _create_first(form: FirstAdministratorForm) -> User | None:
    data = form.cleaned_data
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two browsers on an empty installation: one of them becomes the administrator.
            cursor.execute("LOCK TABLE incidents_user IN SHARE ROW EXCLUSIVE MODE")
        if User.objects.exists():
            return None
        user = User.objects.create_superuser(data["email"], data["password"], name=data["name"])
        team = Team.objects.create(slug="first-team", name=data["team"])
        Membership.objects.create(team=team, user=user, role=Role.ADMIN)
    return user
