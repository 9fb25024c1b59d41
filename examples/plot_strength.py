"""
Choose the strength
===================

The network predicts the noise; `strength` is the share of it that is subtracted. Less keeps more detail, and more
noise.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_dental_denoise as ndd

clean = ndd.phantom((240, 320), rng=1004)
noisy = ndd.add_gaussian_noise(clean, sigma=25 / 255, rng=0)
strengths = np.linspace(0, 1, 11)
scores = [ndd.psnr(clean, ndd.denoise(noisy, strength=strength), data_range=1) for strength in strengths]

figure, (curve, *axes) = plt.subplots(1, 4, figsize=(12, 2.8), layout="constrained")
curve.plot(strengths, scores, "o-")
curve.set_xlabel("strength")
curve.set_ylabel("PSNR (dB)")
for axis, strength in zip(axes, (0, 0.5, 1), strict=True):
    axis.imshow(ndd.denoise(noisy, strength=strength)[60:160, 100:240], cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    axis.set_title(f"strength {strength}")
plt.show()
