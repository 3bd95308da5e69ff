"""The endpoints that monitors send to: authenticate, check, store, answer in the form that the sender expects.

`guard.py` is what they share. An endpoint reads no more of a body than it needs to answer: whether it is JSON at all, and
how many alerts it may hold. What a body says is understood later, by a worker.
"""
