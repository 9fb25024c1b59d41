"""Grey values in bf16, which holds 8 bits of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A bf16 number is the upper half of a float32 one.
UPPER_HALF = np.uint32(0xFFFF0000)
HALF_OF_LOWER_HALF = np.uint32(0x8000)


def split_grey(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The nearest bf16 numbers to grey values, and what these leave of them.

    Parameters
    ----------
    grey : finite float32 array

    Returns
    -------
    coarse, rest : float32 arrays of the same shape
        Their sum is `grey`, exactly; on [0, 1] no rest is beyond 1/512, half a grey level of 8 bit.
    """
    bits = grey.view(np.uint32) + HALF_OF_LOWER_HALF
    bits &= UPPER_HALF
    coarse = bits.view(np.float32)
    return coarse, grey - coarse
