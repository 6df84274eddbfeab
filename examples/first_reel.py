"""A first reel: four seconds of footage, upright.

    python examples/first_reel.py game.mp4

writes ``first-reel.mp4``. Without a file it works on the demo's match.
"""

import sys
from pathlib import Path

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP

source = Path(sys.argv[1]) if len(sys.argv) > 1 else MATCH_CLIP
reel = rp.Reel(clips=[rp.Clip(source=str(source), start=0, end=4, stages=[rp.Crop(), rp.Upscale(model="lanczos")])])
with rp.executor("local") as ex:
    print(ex.submit(rp.RenderJob(reel=reel, output="first-reel.mp4")).result())
