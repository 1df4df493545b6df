"""Property tests draw the same examples every time, and none fails for being slow."""

from hypothesis import settings

settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")
