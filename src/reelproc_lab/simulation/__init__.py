"""Simulation: what cannot be measured without a T4, an L4 or an account, worked out from parameters with sources.

**Nothing here is a measurement.** Two questions are asked of a model:

- :mod:`~reelproc_lab.simulation.replay`: which of the original's recorded runs does it explain, and which not?
- :mod:`~reelproc_lab.simulation.fleet`: what do ten thousand jobs a day cost, and how long do people wait, by
  the number of chunks and of warm containers?

:func:`~reelproc_lab.simulation.report.simulate` asks both and writes the answers down; ``reelproc simulate``
calls it.
"""
