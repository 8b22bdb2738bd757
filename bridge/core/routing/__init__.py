"""Who gets an alert, and which rule says so: one pure function over (alert, directory).

`plan_route` proposes; an officer releases (Directive (EU) 2016/680 Art. 11: no automatic decision).
"""

from bridge.core.routing.corridor import Corridor, corridor_of
from bridge.core.routing.obstacles import find_obstacle
from bridge.core.routing.plan import Exclusion, Recipient, RoutePlan, plan_answer, plan_for_everybody, plan_route

__all__ = [
    "Corridor",
    "Exclusion",
    "Recipient",
    "RoutePlan",
    "corridor_of",
    "find_obstacle",
    "plan_answer",
    "plan_for_everybody",
    "plan_route",
]
