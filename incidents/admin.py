"""The administrator's site: people, teams, systems. What has a history is read here and changed by its verbs."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from incidents.models import Change, Dependency, Membership, System, SystemName, Team, User


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
class PersonAdmin(UserAdmin):
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
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(System)
class SystemAdmin(admin.ModelAdmin):
    list_display = ("name", "kind", "tier", "team")
    list_filter = ("kind", "tier", "team")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (DependencyInline,)


@admin.register(SystemName)
class SystemNameAdmin(admin.ModelAdmin):
    list_display = ("name", "system", "settled_by", "settled_at")


@admin.register(Change)
class ChangeAdmin(admin.ModelAdmin):
    list_display = ("title", "system", "kind", "happened_at")
