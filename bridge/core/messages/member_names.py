"""The names of all members that documents may have: what a mistyped one was probably meant to be."""

from __future__ import annotations

from functools import cache

from bridge.core.messages import answers, control, directory_notice, head, route_alert, sealed_forms
from bridge.core.messages.fields import Reference

_MODELS = (
    Reference,
    head.Sealed,
    route_alert.Endpoint,
    route_alert.LegRoles,
    route_alert.Leg,
    route_alert.Organisers,
    route_alert.VictimGroup,
    route_alert.AlertUpdateBody,
    answers.AlertCancelBody,
    answers.AcknowledgementBody,
    directory_notice.ListChange,
    directory_notice.ListFiles,
    directory_notice.DirectoryNoticeBody,
    control.Receipted,
    control.NumberRange,
    control.VoidNumber,
    *sealed_forms.CONTROL_FORMS.values(),
)


@cache
def member_names() -> tuple[str, ...]:
    """Every member name as documents write it, sorted; gathered when first something is wrong."""
    return tuple(sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()}))
