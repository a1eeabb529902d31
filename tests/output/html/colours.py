"""How far apart colours are to different eyes: Machado (2009) for sight, CIEDE2000 for distance."""

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

_Three = tuple[float, float, float]
SIGHTS: dict[str, tuple[_Three, _Three, _Three]] = {
    "trichromacy": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
"""What each sees of linear red, green and blue."""


def _linear(colour: str) -> _Three:
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return _curve(red), _curve(green), _curve(blue)


def _curve(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """As WCAG counts it."""
    lights = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (_linear(one), _linear(other))]
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def _dot(weights: _Three, values: _Three) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _lab(seen: _Three) -> _Three:
    x = _dot((0.4124564, 0.3575761, 0.1804375), seen) / 0.95047
    y = _dot((0.2126729, 0.7151522, 0.0721750), seen)
    z = _dot((0.0193339, 0.1191920, 0.9503041), seen) / 1.08883
    fx, fy, fz = (float(t ** (1 / 3)) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _seen(colour: str, sight: str) -> _Three:
    linear = _linear(colour)
    red, green, blue = (min(1.0, max(0.0, _dot(row, linear))) for row in SIGHTS[sight])
    return _lab((red, green, blue))


def difference(one: str, other: str, sight: str) -> float:
    """CIEDE2000 between two colours as `sight` sees them."""
    (light_1, a_1, b_1), (light_2, a_2, b_2) = _seen(one, sight), _seen(other, sight)
    mean = (hypot(a_1, b_1) + hypot(a_2, b_2)) / 2
    grey = 1.5 - 0.5 * sqrt(mean**7 / (mean**7 + 25**7))
    chroma_1, chroma_2 = hypot(a_1 * grey, b_1), hypot(a_2 * grey, b_2)
    hue_1, hue_2 = degrees(atan2(b_1, a_1 * grey)) % 360, degrees(atan2(b_2, a_2 * grey)) % 360
    turn = (hue_2 - hue_1 + 180) % 360 - 180
    middle = (hue_1 + turn / 2) % 360
    light, chroma = (light_1 + light_2) / 2, (chroma_1 + chroma_2) / 2
    tint = (
        1
        - 0.17 * cos(radians(middle - 30))
        + 0.24 * cos(radians(2 * middle))
        + 0.32 * cos(radians(3 * middle + 6))
        - 0.20 * cos(radians(4 * middle - 63))
    )
    of_light = (light_2 - light_1) / (1 + 0.015 * (light - 50) ** 2 / sqrt(20 + (light - 50) ** 2))
    of_chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    of_hue = 2 * sqrt(chroma_1 * chroma_2) * sin(radians(turn / 2)) / (1 + 0.015 * chroma * tint)
    rotation = (
        -2 * sqrt(chroma**7 / (chroma**7 + 25**7)) * sin(radians(60 * exp(-(((middle - 275) / 25) ** 2))))
    )
    return sqrt(of_light**2 + of_chroma**2 + of_hue**2 + rotation * of_chroma * of_hue)
