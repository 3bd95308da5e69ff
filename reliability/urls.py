"""All addresses."""

from allauth.account import urls as account
from django.contrib import admin
from django.urls import include, path

# An administrator sets people's addresses: nobody adds or changes one by themselves.
_NOT_OFFERED = {"account_email", "account_confirm_email", "account_email_verification_sent"}
_account = [pattern for pattern in account.urlpatterns if pattern.name not in _NOT_OFFERED]

urlpatterns = [
    path("", include("incidents.urls")),
    path("accounts/", include(_account)),
    path("admin/", admin.site.urls),
    path("api/", include("incidents.api_urls")),
]
