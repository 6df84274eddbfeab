"""Thousands of broken files and senseless jobs: each gives a result or a typed error, in time, and leaves nothing.

And good files of every kind, against a plain loop of ffmpeg's libraries: the same frames at the same times.

``python -m fuzz --count 3000`` in ``tests/`` (or ``nox -s fuzz``) runs them; ``test_fuzz.py`` runs a few every time.
A case is a kind and a number, and the same wherever it runs: ``python -m fuzz --only media:1234`` repeats one.
"""
