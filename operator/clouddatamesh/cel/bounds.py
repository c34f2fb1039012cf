"""What evaluating rules may cost. Thirty ordinary rules take about a millisecond."""

from typing import Final

MEMORY: Final = 256 * 1024 * 1024
"""Bytes that evaluation may take, besides what the process needs to be there."""
CPU: Final = 0.25
"""Seconds of CPU for what is asked at once, and for the compilation of one rule: time that other processes take counts for no rule."""
TOGETHER: Final = CPU / 2
"""Seconds of CPU for all rules on one object; those after them are not asked. The rest of CPU is left to the last one that is."""
DEATHS: Final = 4
"""So many rules on one object may end the process; those after them are not asked."""
SLOW: Final = 0.01
"""Seconds of CPU from which one rule costs too much on an object, although it may answer."""
MANY: Final = 20
"""On so many objects a rule that costs too much is its author's fault, and not that of whoever wrote the objects."""
