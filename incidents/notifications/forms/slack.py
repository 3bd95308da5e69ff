"""What an administrator enters to connect the organisation's Slack app."""

from django import forms

from incidents.notifications.channels.addresses import token
from incidents.notifications.forms.destinations import check_field, secret_box

LONGEST = 200


class SlackAppForm(forms.Form):
    signing_secret = forms.CharField(
        max_length=LONGEST,
        label="Signing secret",
        help_text="In Slack: your app’s settings, Basic Information, App Credentials.",
        widget=secret_box(),
        validators=[check_field(token("a signing secret", "[0-9a-zA-Z]{16,100}"))],
    )
    bot_token = forms.CharField(
        max_length=LONGEST,
        required=False,
        label="Bot token",
        help_text="OAuth & Permissions. It begins with xoxb-. With it, people are known by their email address; without it, "
        "each connects their account once.",
        widget=secret_box(),
        validators=[check_field(token("a bot token", r"xoxb-[0-9A-Za-z-]{10,180}"))],
    )

    def __init__(self, data: object = None, *, known: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # the form's own data, or None
        if known:
            for field in self.fields.values():
                field.required = False
                field.help_text += " Leave it empty to keep what is stored."
