"""A believable organisation to look around in. Above all slices, like urls.py; its dates are relative to today."""
