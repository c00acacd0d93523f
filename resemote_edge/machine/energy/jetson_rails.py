"""Rails whose sum is the power of a whole Jetson module; a new board is a row.

The rows come from NVIDIA's Jetson Linux Developer Guide, sections on software-based power consumption modelling, and
from the device trees. They do not include the carrier board and what is plugged into it (VDD_MUX on TX1 and TX2, which
is reported but not summed). All other rails are parts of those in the row.
"""

from dataclasses import dataclass

__all__ = ["BOARD_TOTALS", "BoardTotal", "board_total"]


@dataclass(frozen=True)
class BoardTotal:
    """One way in which a module's supply is measured.

    Attributes:
        boards: Boards it is found on.
        rails: Rails to be summed.
    """

    boards: str
    rails: tuple[str, ...]


#: The first row whose rails are all present applies.
BOARD_TOTALS: tuple[BoardTotal, ...] = (
    BoardTotal("Nano", ("POM_5V_IN",)),
    BoardTotal("Orin Nano, Orin NX, Xavier NX, TX2, TX2 NX, TX1", ("VDD_IN",)),
    BoardTotal("Xavier NX, as the guide of JetPack 4 names it", ("5V_IN",)),
    BoardTotal("AGX Xavier", ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V")),
    # VDDQ_VDD2_1V8AO of the second chip is fed from VIN_SYS_5V0.
    BoardTotal("AGX Orin", ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")),
    BoardTotal("AGX Thor", ("VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0")),
)


def board_total(rails: set[str]) -> BoardTotal | None:
    """The row that fits a board's rails; None for a board that is not in the table."""
    return next((row for row in BOARD_TOTALS if rails.issuperset(row.rails)), None)
