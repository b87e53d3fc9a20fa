"""What of a machine decides how fast the networks run on it."""

import os
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import torch

TELLING_FLAGS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "bf16",
    "i8mm",
)
"""Processor flags that change what a way costs: width of a vector, 8-bit and 16-bit products."""


@lru_cache
def processor() -> tuple[str, frozenset[str]]:
    """Name of the processor and the flags that the system tells of it; what /proc does not say is left empty."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    return parse_cpuinfo(text)


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Name and flags out of /proc/cpuinfo: `flags` on x86, `Features` on Arm."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name") or platform.machine(), frozenset(flags.split())


def telling_flags() -> list[str]:
    """Those of `TELLING_FLAGS` that this processor has."""
    flags = processor()[1]
    return [flag for flag in TELLING_FLAGS if flag in flags]


def has_fast_bf16() -> bool:
    """Whether the processor multiplies bf16: without, bf16 is slower than fp32."""
    return bool({"avx512_bf16", "amx_bf16"} & processor()[1])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> float | None:
    """Programs that wanted a core in the last minute, on average; None where the system does not tell."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def package_version(name: str) -> str | None:
    """Version of an installed package, None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def describe() -> dict[str, object]:
    """Everything that a measurement hangs on."""
    return {
        "processor": processor()[0],
        "flags": telling_flags(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "openvino": package_version("openvino"),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
