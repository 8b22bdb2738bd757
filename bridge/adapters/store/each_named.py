"""Bounded lists in which nobody hides anybody: the first row of each group, then the others up to the limit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, case, func, or_, select


def each_named(
    query: Select[*tuple[object, ...]],
    *,
    group: Sequence[ColumnElement[object]],
    order: Sequence[ColumnElement[object]],
    limit: int,
) -> Select[*tuple[object, ...]]:
    """The rows of a query in `order`: at most `limit`, or as many as there are groups if those are more."""
    place = func.row_number().over(partition_by=group, order_by=order).label("place")
    whole = func.row_number().over(order_by=order).label("whole")
    placed = query.add_columns(place, whole).subquery()
    is_first = case((placed.c.place == 1, 0), else_=1)
    rank = func.row_number().over(order_by=(is_first, placed.c.whole)).label("rank")
    ranked = select(placed, rank).subquery()
    return select(ranked).where(or_(ranked.c.place == 1, ranked.c.rank <= limit)).order_by(ranked.c.whole)
