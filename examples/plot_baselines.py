"""
Compare with classical methods
==============================

The classical methods are told the true level of the noise; the model of the package is not.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

SIGMA = 25 / 255
METHODS = ("median", "non-local means", "wavelets", "total variation")

clean = ndd.phantom((200, 260), rng=1005)
noisy = ndd.add_gaussian_noise(clean, SIGMA, rng=0)
results = {"noisy": noisy} | {name: ndd.BASELINES[name](noisy, SIGMA) for name in METHODS}
results["starter"] = ndd.denoise(noisy)

figure, axes = plt.subplots(2, 3, figsize=(10, 5.4), layout="constrained")
for axis, (name, image) in zip(axes.flat, results.items(), strict=True):
    axis.imshow(image, cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    psnr, ssim = ndd.psnr(clean, image, data_range=1), ndd.ssim(clean, image, data_range=1)
    axis.set_title(f"{name}: {psnr:.1f} dB, SSIM {ssim:.2f}")
plt.show()
