"""
Map where faint details survive
===============================

`detail_map` puts faint spots into the noisy image, denoises it with and without them, and maps the share of their
contrast that is left. It needs no clean image.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

noisy = ndd.add_gaussian_noise(ndd.phantom((240, 320), rng=1002), sigma=25 / 255, rng=0)
kept = ndd.detail_map(noisy, radius=4, contrast=15 / 255)
print(kept)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
left.imshow(ndd.denoise(noisy), cmap="gray", vmin=0, vmax=1)
left.set_title("denoised")
left.set_axis_off()
picture = right.imshow(100 * kept.share, cmap="viridis", vmin=0, vmax=100)
right.set_title("contrast kept of a spot of 4 px")
right.set_axis_off()
figure.colorbar(picture, ax=right, label="%")
plt.show()
