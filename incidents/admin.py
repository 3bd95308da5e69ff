"""The administrator's site: people, teams, systems. What has a history is read here and changed by its verbs."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from incidents.models import (
    Cadence,
    Change,
    Dependency,
    FactorKind,
    Membership,
    Policy,
    ResponseRole,
    System,
    SystemName,
    Team,
    User,
)


class KeptAdmin(admin.ModelAdmin):
    """Of what is never deleted here: the page that asks would name everything that hangs on it, private incidents too.

    Nor may the answer differ where something private hangs on it, so it is the same for every row.
    """

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1


class DependencyInline(admin.TabularInline):
    model = Dependency
    fk_name = "system"
    extra = 1


class PersonForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class PersonAdmin(KeptAdmin, UserAdmin):
    """A person who leaves is set inactive; what they did stays theirs."""

    form = UserChangeForm
    add_form = PersonForm
    ordering = ("name",)
    list_display = ("name", "email", "is_active", "is_superuser")
    search_fields = ("name", "email")
    list_filter = ("is_active", "is_superuser")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("name", "time_zone", "theme")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)


@admin.register(Team)
class TeamAdmin(KeptAdmin):
    list_display = ("name", "slug")
    fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(System)
class SystemAdmin(KeptAdmin):
    list_display = ("name", "kind", "tier", "team")
    list_filter = ("kind", "tier", "team")
    fields = (
        "name",
        "slug",
        "kind",
        "tier",
        "team",
        "purpose",
        "fallback",
        "runbook_url",
        "dashboard_url",
        "objective",
    )
    prepopulated_fields = {"slug": ("name",)}
    inlines = (DependencyInline,)


@admin.register(SystemName)
class SystemNameAdmin(admin.ModelAdmin):
    list_display = ("name", "system", "settled_by", "settled_at")
    fields = ("name", "system")

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        obj.settled_by, obj.settled_at = request.user, timezone.now()  # type: ignore[attr-defined]  # a SystemName
        super().save_model(request, obj, form, change)


@admin.register(Change)
class ChangeAdmin(admin.ModelAdmin):
    list_display = ("title", "system", "kind", "happened_at")
    fields = ("title", "system", "kind", "version", "url", "happened_at")

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        if not change:
            obj.recorded_by = request.user  # type: ignore[attr-defined]  # a Change
        super().save_model(request, obj, form, change)


@admin.register(ResponseRole)
class ResponseRoleAdmin(KeptAdmin):
    """Who does what during an incident. One that was ever held stays readable: it is switched off instead."""

    list_display = ("name", "does", "several", "position", "is_active")
    list_editable = ("position", "is_active")


@admin.register(FactorKind)
class FactorKindAdmin(KeptAdmin):
    """The contributing factors that postmortems choose from. One that was used is retired, not deleted."""

    list_display = ("name", "group", "retired")
    list_filter = ("group", "retired")
    list_editable = ("retired",)
    search_fields = ("name",)


@admin.register(Policy)
class PolicyAdmin(KeptAdmin):
    """What is asked of the postmortem of an incident, by its severity."""

    list_display = ("severity", "depth", "due_days", "reviewers")
    list_editable = ("depth", "due_days", "reviewers")
    readonly_fields = ("severity",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one for each severity


@admin.register(Cadence)
class CadenceAdmin(KeptAdmin):
    """How often stakeholders hear of an incident, in minutes; empty for never."""

    list_display = ("severity", "minutes")
    list_editable = ("minutes",)
    readonly_fields = ("severity",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # there is one for each severity
