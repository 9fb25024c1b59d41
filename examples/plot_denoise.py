"""
Denoise a radiograph
====================

`denoise` takes an image of any size and type, and returns one of the same size and type.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

clean = ndd.phantom((240, 320), rng=1000)
noisy = ndd.add_gaussian_noise(clean, sigma=25 / 255, rng=0)
denoised = ndd.denoise(noisy)

figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for axis, image, name in zip(axes, (clean, noisy, denoised), ("clean", "noisy", "denoised"), strict=True):
    axis.imshow(image, cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    axis.set_title(name if image is clean else f"{name}: {ndd.psnr(clean, image, data_range=1):.1f} dB")
plt.show()
