"""Triggers and scopes as requests give them: what is wrong is said of its field, with what is allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from services.api.models.text import refused
from vigilo.events.cards import Grade
from vigilo.events.rules import Scope
from vigilo.events.text import visible
from vigilo.events.triggers import GradeBelow, Trigger

_SHOWN: Final = 80
_KIND: Final = "kind"
# Of each parameter: what it is, and what is allowed.
_PARAMETERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "days": ("a number of days", "more than 0, at most 3650; parts of a day count, e.g. 0.5"),
        "share": ("a share of the lifetime", "a share of the lifetime is between 0 and 1, e.g. 0.33 for a third"),
        "include": ("a choice of certificates", "leaf, or path for the intermediates too"),
        "grade": ("a grade to fall below", "A+ to E: A+, A, A-, B, C, D or E"),
        "intervals": ("a number of intervals", "2 to 100; the host's own interval is meant, e.g. 3"),
        "version": ("a version", "TLSv1.1, TLSv1.2 or TLSv1.3"),
        "judged": ("a way to judge", "accepted for any version the host accepts, best for its newest alone"),
        "rsa_bits": ("a size of RSA keys", "a whole number from 1024 to 16384, e.g. 2048"),
        "curve_bits": ("a size of elliptic-curve keys", "a whole number from 160 to 521, e.g. 256"),
        "which": ("a choice of changes", "any, or unexpected for those a mere renewal would not make"),
    }
)


def _kinds(union: Any) -> tuple[str, ...]:
    models: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return tuple(str(model.model_fields[_KIND].default) for model in models)


KINDS: Final = _kinds(Trigger)


def _asked_trigger(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """As the event's model has it, and no number that is a truth value, no grade that nothing is below."""
    if isinstance(value, dict):
        _refuse(_truth_values(value))
    try:
        trigger = validate(value)
    except ValidationError as error:
        _refuse(_in_words(error.errors(include_url=False)))
        raise
    _refuse_unknown_fields(value, trigger)
    if isinstance(trigger, GradeBelow) and trigger.grade is Grade.F:
        _refuse([_line(("grade",), "F", refused("trigger", "nothing is below F", _PARAMETERS["grade"][1]))])
    return trigger


def _asked_scope(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    scope = validate(value)
    _refuse_unknown_fields(value, scope)
    return scope


def _truth_values(value: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    # A truth value is a number to pydantic, and to nobody who types one.
    for name, given in value.items():
        if name in _PARAMETERS and isinstance(given, bool):
            yield _line((name,), given, _not_allowed(name, given))


def _in_words(errors: Iterable[ErrorDetails]) -> Iterator[InitErrorDetails]:
    """The same errors, of parameters in the words of the table and of kinds with the list of them."""
    for error in errors:
        name = str(error["loc"][-1]) if error["loc"] else ""
        given = error["input"]
        if error["type"] == "union_tag_invalid" and isinstance(given, dict):
            yield _line((_KIND,), given, _unknown_kind(given.get(_KIND)))
        elif error["type"] == "union_tag_not_found":
            yield _line((_KIND,), given, refused("trigger", "it is missing", _one_of_kinds()))
        elif name in _PARAMETERS and error["type"] == "missing":
            yield _line(error["loc"], given, refused("trigger", "it is missing", _PARAMETERS[name][1]))
        elif name in _PARAMETERS:
            yield _line(error["loc"], given, _not_allowed(name, given))
        else:
            return  # an error of another sort, which pydantic tells well enough


def _refuse_unknown_fields(value: Any, model: BaseModel) -> None:
    """Readers of events tolerate unknown fields; a person who misspells a parameter must hear of it."""
    known = type(model).model_fields
    wrong = [str(name) for name in value if name not in known] if isinstance(value, dict) else []
    kind, allowed = getattr(model, _KIND), f"only {', '.join(known)}"
    _refuse(
        _line((name,), name, refused("unknown_field", f"{kind} has no field {_shown(name)}", allowed)) for name in wrong
    )


def _refuse(lines: Iterable[InitErrorDetails]) -> None:
    if found := list(lines):
        raise ValidationError.from_exception_data("trigger", found)


def _line(where: tuple[int | str, ...], given: Any, error: PydanticCustomError) -> InitErrorDetails:
    return InitErrorDetails(type=error, loc=where, input=given)


def _not_allowed(name: str, given: Any) -> PydanticCustomError:
    what, allowed = _PARAMETERS[name]
    return refused("trigger", f"{_shown(given)} is not allowed as {what}", allowed)


def _unknown_kind(given: Any) -> PydanticCustomError:
    return refused("trigger", f"there is no trigger {_shown(given)}", _one_of_kinds())


def _one_of_kinds() -> str:
    return f"one of {', '.join(KINDS)}"


def _shown(given: Any) -> str:
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return visible(text, limit=_SHOWN)


AskedTrigger = Annotated[Trigger, WrapValidator(_asked_trigger)]
AskedScope = Annotated[Scope, WrapValidator(_asked_scope)]
