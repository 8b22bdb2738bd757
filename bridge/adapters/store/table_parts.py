"""What the tables are made of: the one MetaData, and the columns that come again and again."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Text

from bridge.adapters.store.column_types import Position, UtcMicroseconds

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def required(name: str) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False)


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    """A time, in microseconds."""
    return Column(name, UtcMicroseconds, nullable=nullable)


def arrival(name: str = "position") -> Column[int]:
    """A primary key that counts up in the order of arrival."""
    return Column(name, Position, primary_key=True, autoincrement=True)
