"""Pagers that answer: who acknowledges an alert there has acknowledged the incident here.

The door (`door.py`) stores what a pager sends; a worker reads it (`readers.py`, pure) and acts on it (`acting.py`).
"""
