"""The base class of the config's sections, and the types that several of them share."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from fullbake.pipeline.config.redaction import has_password

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0.0)]


class TruthValue(str):
    """A word that YAML takes for true or false, as it was written."""

    __slots__ = ()


def _number_as_text(value: Any) -> Any:
    if isinstance(value, TruthValue):
        raise ValueError(f'is a truth value to YAML; write it in quotes: "{value}"')
    # Class numbers are mostly written without quotes. Only whole numbers: 1.0 may be meant as 1.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# A shell replaces the ~ of an argument's first character only, and of a config nothing; an address is left as it is.
Location = Annotated[str, AfterValidator(os.path.expanduser)]
Label = Annotated[str, BeforeValidator(_number_as_text)]


class Section(BaseModel):
    """A mapping of known keys; an unknown one is an error, and nothing changes after it is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_values(cls, value: Any, info: ValidationInfo) -> Any:
        # Python takes true for the number 1.
        if isinstance(value, bool | TruthValue) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("is a truth value to YAML; a number or quoted text belongs here")
        # Paths and addresses are kept in logs, in the metadata and in the model.
        if isinstance(value, str) and has_password(value):
            raise ValueError("has a password in it; leave it out: credentials come from the environment")
        return value
