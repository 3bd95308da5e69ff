"""What people type about deliveries."""

from django import forms


class WipeForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Why", help_text="Such as the request that it answers.")
