"""The methods behind each degradation, as a data set card cites them: what our own code names as its source."""

CITATIONS: dict[str, tuple[str, ...]] = {
    "blur": (
        "Nah et al., Deep Multi-scale Convolutional Neural Network for Dynamic Scene Deblurring, CVPR 2017",
        "Rim et al., Realistic Blur Synthesis for Learning Image Deblurring (RSBlur), ECCV 2022",
    ),
    "compression": (
        "Wang et al., Real-ESRGAN, ICCVW 2021",
        "Wang et al., APISR, CVPR 2024",
        "Bianchi and Piva, Image Forgery Localization via Block-Grained Analysis of JPEG Artifacts, IEEE TIFS 2012",
    ),
    "flare": ("Wu et al., How to Train Neural Networks for Flare Removal, ICCV 2021", "Dai et al., Flare7K++, 2023"),
    "haze": (
        "Koschmieder, Theorie der horizontalen Sichtweite, 1924",
        "Narasimhan and Nayar, Shedding Light on the Weather, CVPR 2003",
        "Li et al., Benchmarking Single-Image Dehazing and Beyond (RESIDE), TIP 2019",
    ),
    "low_light": (
        "Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019",
        "Cui et al., Multitask AET with Orthogonal Tangent Regularity for Dark Object Detection (MAET), ICCV 2021",
        "Guo et al., OneRestore, ECCV 2024",
    ),
    "moire": ("Yuan et al., arXiv 1804.03809", "Yang et al., UniDemoire, AAAI 2025"),
    "noise": (
        "Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019",
        "Wei et al., Physics-based Noise Modeling for Extreme Low-light Photography (ELD), TPAMI 2021",
    ),
    "rain": (
        "Marshall and Palmer, The Distribution of Raindrops with Size, J. Met. 1948",
        "Garg and Nayar, Vision and Rain, IJCV 2007",
        "Halder et al., Physics-Based Rendering for Improving Robustness to Rain, ICCV 2019",
    ),
    "reflection": ("Kee et al., Removing Reflections from RAW Photos, CVPR 2025",),
    "web": ("Wang et al., Real-ESRGAN, ICCVW 2021",),
}
