"""Requirements: whether an installed version is in the range a distribution asks for.

A small part of PEP 440 and PEP 508: what the metadata of the SDK's distributions is made of. The answer to anything
else is ``None``, "cannot tell", and never a guess; so core needs no library for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?", re.DOTALL
)
_EXTRA = re.compile(r"""\s*extra\s*==\s*(['"])([^'"]+)\1\s*""")
_SPECIFIER = re.compile(r"(==|!=|>=|<=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:\.post(\d+))?(?:\+[a-z0-9.]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Requirement:
    """One line of ``Requires-Dist``.

    Attributes:
        name: normalised name of the distribution.
        extras: extras of it that are asked for.
        range: version range as written, perhaps empty.
        extra: the extra this line belongs to; ``None`` for what is always needed.
    """

    name: str
    extras: frozenset[str]
    range: str
    extra: str | None = None

    def __str__(self) -> str:
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        return f"{self.name}{extras}{self.range}"


def normalise(name: str) -> str:
    """One spelling for each distribution: ``Vikingdb_Core`` is ``vikingdb-core``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirement(line: str) -> Requirement | None:
    """Read a line; ``None`` when it depends on the platform or names an address, which is not judged here."""
    match = _REQUIREMENT.fullmatch(line)
    if match is None:
        return None
    name, extras, version_range, marker = match.groups()
    if version_range.startswith("@"):
        return None
    asked = frozenset(normalise(extra.strip()) for extra in (extras or "").split(",") if extra.strip())
    extra = None
    if marker is not None:
        of_extra = _EXTRA.fullmatch(marker)
        if of_extra is None:
            return None
        extra = normalise(of_extra.group(2))
    return Requirement(normalise(name), asked, version_range.strip(), extra)


def satisfies(version: str, version_range: str) -> bool | None:
    """Whether a version is in a range such as ``>=2.10,<3``; ``None`` for pre-releases and what else is not read here.

    A range that one part of it excludes is not satisfied, whatever the other parts say.
    """
    parts = [part.strip() for part in version_range.split(",") if part.strip()]
    answers = {_satisfies_one(version, part) for part in parts}
    if False in answers:
        return False
    return None if None in answers else True


def _satisfies_one(version: str, specifier: str) -> bool | None:
    found, wanted = _VERSION.fullmatch(version.strip()), _SPECIFIER.fullmatch(specifier)
    if found is None or wanted is None:
        return None
    operator, bound, wildcard = wanted.groups()
    have, limit = _numbers(found.group(1)), _numbers(bound)
    if wildcard:
        if operator not in ("==", "!="):
            return None
        prefix = [int(number) for number in bound.split(".")]
        release = [int(number) for number in found.group(1).split(".")]
        begins = (release + [0] * len(prefix))[: len(prefix)] == prefix
        return begins is (operator == "==")
    post = -1 if found.group(2) is None else int(found.group(2))
    mine, other = (have, post), (limit, -1)
    return {
        "==": mine == other,
        "!=": mine != other,
        ">=": mine >= other,
        "<=": mine <= other,
        "<": mine < other,
        ">": have > limit,  # 1.0.post1 is not above 1.0 by the rules
    }[operator]


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(number) for number in text.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
