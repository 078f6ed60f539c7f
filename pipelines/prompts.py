"""One fixed instruction per task, English and Chinese: what an instruction-driven editor is trained to obey."""

PROMPTS: dict[str, tuple[str, str]] = {
    "blur": ("Remove the blur and make the photo sharp.", "去除模糊，使照片变得清晰。"),
    "compression": ("Remove the compression artifacts and restore the fine detail.", "去除压缩痕迹，恢复细节。"),
    "moire": ("Remove the moiré pattern from the photo.", "去除照片中的摩尔纹。"),
    "low_light": ("Brighten this dark photo as if it had been well exposed.", "提亮这张昏暗的照片，使其曝光正常。"),
    "noise": ("Remove the noise and keep the fine detail.", "去除噪点，保留细节。"),
    "flare": ("Remove the lens flare and the glare.", "去除镜头光晕和眩光。"),
    "reflection": ("Remove the reflection from the glass.", "去除玻璃上的反光。"),
    "haze": ("Remove the haze and bring back contrast and colour.", "去除雾霾，恢复对比度和色彩。"),
    "rain": ("Remove the rain from the photo.", "去除照片中的雨。"),
    "web": ("Restore this low-quality web image to a sharp, clean photo.", "将这张低质量的网络图片恢复成清晰干净的照片。"),
}
