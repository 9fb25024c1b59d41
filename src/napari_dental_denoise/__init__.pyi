from .core.classical import BASELINES as BASELINES
from .core.errors import InputError as InputError
from .core.folders import read_all_datasets as read_all_datasets
from .core.folders import read_dental as read_dental
from .core.images import read_image as read_image
from .core.images import write_image as write_image
from .core.inference import denoise as denoise
from .core.inference import load_engine as load_engine
from .core.intensity import to_unit as to_unit
from .core.metrics import accuracy as accuracy
from .core.metrics import psnr as psnr
from .core.metrics import ssim as ssim
from .core.noise import add_gaussian_noise as add_gaussian_noise
from .core.noise import add_poisson_gaussian_noise as add_poisson_gaussian_noise
from .core.noise import add_poisson_noise as add_poisson_noise
from .core.noise import add_salt_and_pepper_noise as add_salt_and_pepper_noise
from .core.noise import add_speckle_noise as add_speckle_noise
from .core.phantom import phantom as phantom
from .core.phantom import phantoms as phantoms
from .unet.denoiser import CNN_denoiser as CNN_denoiser
from .unet.denoiser import CNNDenoiser as CNNDenoiser
from .unet.network import unet_model as unet_model

__version__: str
