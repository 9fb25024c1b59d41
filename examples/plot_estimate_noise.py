"""
Estimate the noise of an image
==============================

`estimate_noise` needs no clean image. Where there is little noise, it takes fine texture for noise.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

clean = ndd.phantom((240, 320), rng=1001)
levels = [0, 1, 2, 5, 10, 15, 20, 30, 40, 50]
white = [ndd.estimate_noise(ndd.add_gaussian_noise(clean, level / 255, rng=0)).sigma * 255 for level in levels]
soft = [ndd.estimate_noise(ndd.add_correlated_noise(clean, level / 255, rng=0)).sigma * 255 for level in levels]

figure, axis = plt.subplots(figsize=(5, 4), layout="constrained")
axis.plot(levels, white, "o-", label="white")
axis.plot(levels, soft, "s-", label="correlated")
axis.plot(levels, levels, "k:", label="true")
axis.set_xlabel("true level (grey levels)")
axis.set_ylabel("estimated level (grey levels)")
axis.legend()
plt.show()
