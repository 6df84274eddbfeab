"""Commands of the laboratory: ``reelproc experiment`` and ``reelproc simulate``."""
