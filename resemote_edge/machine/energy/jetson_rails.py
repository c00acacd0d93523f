"""Rails that together are the whole of a Jetson module; a new board is a row.

The rows come from NVIDIA's Jetson Linux Developer Guide, sections on software-based power consumption modelling, and
from the device trees. All of them measure the module; the carrier board and what is plugged into it come on top (on TX1
and TX2 as VDD_MUX, which is reported and not summed). Other rails lie inside those of the row.
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


#: The first row applies whose rails are all there.
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
