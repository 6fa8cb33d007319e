"""Greets a visitor of a reef's page."""

import coralbase

__version__ = "1.0"


def greeting(place):
    return f"Welcome to {place} ({coralbase.banner()})"
