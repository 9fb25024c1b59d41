"""
Tell how far the truth may be
=============================

`denoise_with_error` returns an interval for each pixel. For 90 % of the pixels, the truth is expected within it.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_dental_denoise as ndd

clean = ndd.phantom((240, 320), rng=1003)
noisy = ndd.add_gaussian_noise(clean, sigma=25 / 255, rng=0)
denoised, error = ndd.denoise_with_error(noisy, share=0.9)
inside = np.mean(np.abs(clean - denoised) <= error)

figure, (line, chart) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
row = 120
columns = np.arange(clean.shape[1])
line.fill_between(columns, (denoised - error)[row], (denoised + error)[row], alpha=0.4, label="interval")
line.plot(columns, clean[row], "k", linewidth=0.8, label="truth")
line.set_title(f"row {row}; {100 * inside:.0f} % of all pixels are inside")
line.legend()
picture = chart.imshow(255 * error, cmap="magma", vmin=0)
chart.set_title("error map")
chart.set_axis_off()
figure.colorbar(picture, ax=chart, label="grey levels")
plt.show()
