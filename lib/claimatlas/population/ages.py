"""Ages in completed years, and their classes."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from claimatlas.configuration.settings import AgeClass
from claimatlas.tables.schemas import UNKNOWN


def completed_years(birth_date: Column, on: Column) -> Column:
    """Completed years on a day; negative before birth, null when the birth date is unknown.

    Born on 29 February, a person is a year older on 1 March of a common year.
    """
    birthday = F.month(birth_date) * 100 + F.dayofmonth(birth_date)
    today = F.month(on) * 100 + F.dayofmonth(on)
    return F.year(on) - F.year(birth_date) - (today < birthday).cast("int")


def label_of_age(age: Column, classes: Sequence[AgeClass]) -> Column:
    """The label of the class that holds an age; ``unknown`` for a negative or unknown one."""
    # The classes start at 0 without gaps and the last one is open, so the first class whose end is not exceeded holds
    # the age.
    label = F.when(age.isNull() | (age < 0), F.lit(UNKNOWN))
    for age_class in classes:
        if age_class.to is not None:
            label = label.when(age <= age_class.to, F.lit(age_class.label))
        else:
            label = label.otherwise(F.lit(age_class.label))
    return label
