"""
See the correlation of noise
============================

The power spectrum tells white noise, whose power is the same at all frequencies, from correlated noise. What the
denoiser removed should have the spectrum of the noise.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_dental_denoise as ndd


def radial_power(residual: np.ndarray) -> np.ndarray:
    """Return the mean power at each frequency."""
    power = np.abs(np.fft.fft2(residual)) ** 2 / residual.size
    rows, columns = (np.fft.fftfreq(side) for side in residual.shape)
    ring = np.rint(np.hypot(rows[:, None], columns) * 64).astype(int)
    return (np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel()))[1:33]


clean = ndd.phantom((256, 320), rng=1001)
noisy = {
    "white": ndd.add_gaussian_noise(clean, 0.1, rng=0),
    "blur of 1 px": ndd.add_correlated_noise(clean, 0.1, blur=1, rng=0),
    "power law": ndd.add_power_law_noise(clean, 0.1, exponent=1, rng=0),
}

figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
frequencies = np.arange(1, 33) / 64
for name, image in noisy.items():
    (line,) = axis.semilogy(frequencies, radial_power(image - clean), label=f"{name}: added")
    axis.semilogy(frequencies, radial_power(image - ndd.denoise(image)), "--", color=line.get_color(), label="removed")
axis.set_xlabel("frequency (cycles per pixel)")
axis.set_ylabel("power")
axis.legend()
plt.show()
