"""What an ``.onnx`` file says of the network in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from reelproc.upscalers.picture_size import SizeNeeds

METADATA = "reelproc"
"""The key of the file's metadata under which that is."""

OPSET = 17
"""Version of the operators: known to every ONNX Runtime since 1.14 (2023), with all that these networks need."""


@dataclass(frozen=True, slots=True)
class About:
    """What there is to know of an exported network.

    Attributes:
        scale: by which it enlarges.
        flop_per_pixel: floating point operations for a pixel of its input.
        overlap: pixels around a tile, even.
        needs: the sizes that it takes.
        weights_sha256: digests of the files that it was made of.
    """

    scale: int
    flop_per_pixel: float
    overlap: int
    needs: SizeNeeds
    weights_sha256: str = ""

    def text(self) -> str:
        """Return it as it stands in the file."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> About | None:
        """Read it.

        Returns:
            None where the file was not made by reelproc, or by one that did not say yet what sizes a network takes.
        """
        try:
            told = json.loads(metadata[METADATA])
            known = {field.name: told[field.name] for field in fields(cls)}
            return cls(**known | {"needs": SizeNeeds(**told["needs"])})
        except (KeyError, TypeError, ValueError):
            return None
