"""Render a reel: ``rp.render(reel, "out.mp4")`` is :func:`reelproc.shortcuts.render`; the parts are modules in here."""

import sys

from reelproc.callable_module import RenderRoom

sys.modules[__name__].__class__ = RenderRoom
