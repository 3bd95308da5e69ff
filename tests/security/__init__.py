"""What must not get out: private incidents, on every way there is."""
