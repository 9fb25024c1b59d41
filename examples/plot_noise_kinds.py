"""
Kinds of noise
==============

Noise of a detector is seldom white: it depends on the grey value and on the neighbours, and files add artefacts.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

clean = ndd.phantom((160, 200), rng=1003)
noisy = {
    "clean": clean,
    "white": ndd.add_gaussian_noise(clean, 0.1, rng=0),
    "Poisson": ndd.add_poisson_noise(clean, photons=50, rng=0),
    "quantum": ndd.add_quantum_noise(clean, photons=5, rng=0),
    "correlated": ndd.add_correlated_noise(clean, 0.1, blur=1.5, rng=0),
    "lines": ndd.add_line_noise(clean, 0.05, rng=0),
    "varying level": ndd.add_varying_noise(clean, 0.02, 0.2, rng=0),
    "mixture": ndd.add_dental_xray_noise(clean, 0.1, rng=0),
}

figure, axes = plt.subplots(2, 4, figsize=(10, 4.4), layout="constrained")
for axis, (name, image) in zip(axes.flat, noisy.items(), strict=True):
    axis.imshow(image, cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    axis.set_title(name)
plt.show()
