"""The addresses of the account's pages and of the style guide."""

from django.urls import path

from incidents.web import account
from incidents.web.styleguide import styleguide

urlpatterns = [
    path("welcome/", account.first_run, name="first-run"),
    path("account/", account.account, name="account"),
    path("account/keys/", account.create_key, name="key-new"),
    path("account/keys/<int:pk>/revoke/", account.revoke_key, name="key-revoke"),
    path("style-guide/", styleguide, name="style-guide"),
]
