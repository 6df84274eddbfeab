"""Three code paths of the highlight app's original program, rebuilt from their description, as baselines.

They are slow on purpose: what they show is what the original measured. Nothing else in reelproc uses them. A job of
the kind ``original`` (:class:`~reelproc_lab.original_programs.runner.OriginalJob`) is done by them, on any executor.

Its faults are kept: whole pixels, guessed frame rates, and colours that shift where OpenCV decodes HD as BT.709 and
ffmpeg encodes BGR as BT.601 without saying so (8 % darker grass).

- :mod:`~reelproc_lab.original_programs.overlay`: OpenCV, frame by frame; the whole frame multiplied in float64 and
  written raw into ffmpeg; the sound added afterwards.
- :mod:`~reelproc_lab.original_programs.framing`: crop and scale without a network, by one ffmpeg.
- :mod:`~reelproc_lab.original_programs.framing_ai`: a seek before each frame, the network, a four times enlarged float
  frame on the host, Lanczos, a PNG; then ffmpeg over the PNGs.
"""
