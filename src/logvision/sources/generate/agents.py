"""User agents of people's browsers and apps, with weights near their real shares in late 2026."""

# ruff: noqa: E501 (user agents are long)

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Weighted = Sequence[tuple[str, float]]

CHROMIUM = {
    156: 0.8,
    155: 4.0,
    154: 9.0,
    153: 3.0,
    152: 1.5,
    150: 0.8,
    148: 0.5,
    144: 0.3,
    138: 0.2,
    131: 0.1,
}
"""Major version to weight. Minor numbers are frozen at 0.0.0 since Chrome 101."""
FIREFOX = {158: 0.2, 157: 4.0, 156: 3.0, 155: 0.8, 153: 0.4, 140: 1.2, 128: 0.4, 115: 0.5}
SAFARI = {
    "27.1": 3.0,
    "27.0": 2.0,
    "26.5": 1.5,
    "26.4": 0.8,
    "26.2": 0.5,
    "18.6": 0.8,
    "17.6": 0.4,
    "16.6": 0.2,
}
IOS = ("18_7", "18_6_2", "18_5", "17_7_2", "17_6_1", "16_7_12", "15_8_4")
DESKTOPS = {
    "Windows NT 10.0; Win64; x64": 6.0,
    "Macintosh; Intel Mac OS X 10_15_7": 2.4,
    "X11; Linux x86_64": 0.8,
    "X11; CrOS x86_64 14541.0.0": 0.4,
}
PHONES = (
    *(f"SM-S{number}B" for number in (901, 906, 911, 918, 921, 926, 928, 931, 936, 938, 942, 948)),
    *(
        f"SM-A{number}"
        for number in ("146P", "155F", "165F", "256B", "346B", "356B", "366B", "546B", "556B", "566B")
    ),
    *(
        f"Pixel {number}"
        for number in ("6a", "7", "7 Pro", "8", "8a", "8 Pro", "9", "9a", "9 Pro", "10", "10 Pro", "10a")
    ),
    *(
        "2201116SG",
        "22101316G",
        "2312DRA50G",
        "23124RA7EO",
        "24069PC21G",
        "24117RN76O",
        "25010PN30G",
        "2509FPN0BC",
    ),
    *(
        "CPH2381",
        "CPH2449",
        "CPH2581",
        "CPH2653",
        "CPH2747",
        "V2250",
        "V2318",
        "V2419",
        "RMX3710",
        "RMX3990",
        "RMX5110",
    ),
    *(
        "moto g54 5G",
        "moto g84 5G",
        "moto g(60)",
        "motorola edge 50 fusion",
        "Nokia G42 5G",
        "LE2123",
        "A142",
        "A063",
    ),
    *(
        "ELS-NX9",
        "VOG-L29",
        "ANY-LX1",
        "JAD-AL50",
        "ALN-AL00",
        "BKQ-N49",
        "REA-NX9",
        "KB2003",
        "XQ-DQ54",
        "TECNO KI7",
    ),
)
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
MOBILE_KIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@cache
def browsers() -> Weighted:
    """About 1,500 user agents and their weights, in a fixed order."""
    return (*_desktop(), *_phone(), *_inside_apps())


def weights(table: Weighted) -> npt.NDArray[np.float64]:
    """Cumulated shares of a weighted table, for `np.searchsorted` with a number in 0 to 1."""
    sums = np.cumsum(np.array([weight for _, weight in table], np.float64))
    shares: npt.NDArray[np.float64] = sums / sums[-1]
    return shares


def _desktop() -> Weighted:
    found: list[tuple[str, float]] = []
    for system, share in DESKTOPS.items():
        for version, weight in CHROMIUM.items():
            chrome = f"Mozilla/5.0 ({system}) {KIT} Chrome/{version}.0.0.0 Safari/537.36"
            found.append((chrome, share * weight))
            found.append(
                (f"{chrome} Edg/{version}.0.0.0", share * weight * (0.25 if "Win" in system else 0.02))
            )
            found.append((f"{chrome} OPR/{version - 17}.0.0.0", share * weight * 0.04))
            found.append((f"{chrome} Vivaldi/7.{version - 148}", share * weight * 0.01))
        for release, weight in FIREFOX.items():
            gecko = f"Mozilla/5.0 ({system.replace('10_15_7', '10.15')}; rv:{release}.0) Gecko/20100101 Firefox/{release}.0"
            found.append((gecko, share * weight * 0.12))
    for number, weight in SAFARI.items():
        mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
        found.append((f"{mac} {MOBILE_KIT} Version/{number} Safari/605.1.15", weight * 1.6))
    found.append(("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", 0.1))
    found.append((f"Mozilla/5.0 (Windows NT 6.1; Win64; x64) {KIT} Chrome/109.0.0.0 Safari/537.36", 0.3))
    return found


def _phone() -> Weighted:
    found: list[tuple[str, float]] = []
    for version, weight in CHROMIUM.items():
        reduced = f"Mozilla/5.0 (Linux; Android 10; K) {KIT} Chrome/{version}.0.0.0"
        found.append((f"{reduced} Mobile Safari/537.36", weight * 8))
        found.append((f"{reduced} Safari/537.36", weight * 0.6))
        found.append((f"{reduced} Mobile Safari/537.36 EdgA/{version}.0.0.0", weight * 0.2))
        found.append((f"{reduced} Mobile Safari/537.36 OPR/{version - 62}.0.0.0", weight * 0.2))
    for version in (27, 28, 29, 30):
        samsung = f"Mozilla/5.0 (Linux; Android 10; K) {KIT} SamsungBrowser/{version}.0"
        found.append((f"{samsung} Chrome/{version + 109}.0.0.0 Mobile Safari/537.36", version - 25.0))
    for system in IOS:
        phone = f"Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) {MOBILE_KIT}"
        tablet = f"Mozilla/5.0 (iPad; CPU OS {system} like Mac OS X) {MOBILE_KIT}"
        share = 6.0 if system == "18_7" else 0.4
        for number, weight in SAFARI.items():
            found.append((f"{phone} Version/{number} Mobile/15E148 Safari/604.1", share * weight))
            found.append((f"{tablet} Version/{number} Mobile/15E148 Safari/604.1", share * weight * 0.06))
        for version in (153, 154, 155):
            found.append((f"{phone} CriOS/{version}.0.7444.77 Mobile/15E148 Safari/604.1", share * 0.4))
        found.append((f"{phone} FxiOS/157.0 Mobile/15E148 Safari/605.1.15", share * 0.1))
        found.append((f"{phone} GSA/394.0.830294738 Mobile/15E148 Safari/604.1", share * 0.4))
    for release in (140, 155, 156, 157):
        gecko = f"Mozilla/5.0 (Android 15; Mobile; rv:{release}.0) Gecko/{release}.0 Firefox/{release}.0"
        found.append((gecko, 0.3))
    return found


def _inside_apps() -> Weighted:
    found: list[tuple[str, float]] = []
    for place, phone in enumerate(PHONES):
        for version in (150, 152, 153, 154, 155, 156):
            build = 7559 + 31 * version % 97
            view = (
                f"Mozilla/5.0 (Linux; Android {13 + (place + version) % 4}; {phone} Build/UP1A.231005.007; wv) {KIT} "
                f"Version/4.0 Chrome/{version}.0.{build}.{60 + place} Mobile Safari/537.36"
            )
            found.append((view, 0.03))
            found.append((f"{view} Instagram 405.0.0.52.{place + 80} Android", 0.03))
            found.append((f"{view} [FB_IAB/FB4A;FBAV/536.0.0.46.77;]", 0.03))
        found.append(
            (f"Dalvik/2.1.0 (Linux; U; Android {13 + place % 4}; {phone} Build/UP1A.231005.007)", 0.02)
        )
    for system in IOS:
        phone = f"Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) {MOBILE_KIT}"
        found.append(
            (f"{phone} Mobile/15E148 MicroMessenger/8.0.62(0x18003e2f) NetType/WIFI Language/zh_CN", 0.4)
        )
        found.append(
            (f"{phone} Mobile/15E148 [FBAN/FBIOS;FBAV/539.0.0.38.107;FBDV/iPhone16,2;FBMD/iPhone]", 0.4)
        )
    return found
