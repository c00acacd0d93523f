"""CPU features that decide what an engine may be asked to compute."""

from pathlib import Path

__all__ = ["SAFE_WEIGHT_LEVELS", "cpu_flags", "int8_sums_saturate", "why_no_bf16"]

#: Largest magnitude of a weight whose product with a byte, twice, fits 16 bits.
SAFE_WEIGHT_LEVELS = 63

#: Instructions that add products of bytes in 32 bits at once, as Linux names them.
_DOT_PRODUCT = frozenset({"avx_vnni", "avx512_vnni", "amx_int8"})

#: Instructions that multiply in bf16, on x86 and on Arm. (AVX-NE-CONVERT only converts.)
_BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def cpu_flags(root: Path = Path("/")) -> frozenset[str]:
    """Features of the first processor, as the kernel names them; empty where it does not say.

    Args:
        root: Root of the file system that holds ``proc``.
    """
    try:
        text = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def int8_sums_saturate(root: Path = Path("/")) -> bool:
    """Whether products of an unsigned and a signed byte are added in pairs in 16 bits, where they may not fit.

    x86 CPUs without VNNI do so (the instruction is ``pmaddubsw``): 255 * 127 twice is more than 32,767. Weights of
    seven bits always fit. Engines that know about it add in another, slower way; others just clip the sums.

    Args:
        root: Root of the file system that holds ``proc``.
    """
    flags = cpu_flags(root)
    return "ssse3" in flags and not flags & _DOT_PRODUCT


def why_no_bf16(root: Path = Path("/")) -> str | None:
    """Why this CPU cannot multiply in bf16; None where it can.

    Args:
        root: Root of the file system that holds ``proc``.
    """
    flags = cpu_flags(root)
    if not flags:
        return "the system does not say whether this CPU has bf16 arithmetic"
    return None if flags & _BF16 else "this CPU has no bf16 arithmetic"
