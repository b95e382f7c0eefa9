"""Pages for people, outside /api: the safety floor that every page stands on, templates, the style sheet.

Start reading at floor.py: a page that is not a `PageRoute` does not pass the tests.
"""
