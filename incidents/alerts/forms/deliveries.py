"""What people type about deliveries."""

from django import forms


class WipeForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Reason", help_text="Such as the erasure request it answers.")
