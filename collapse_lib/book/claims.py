"""A claim: what a source says, theory, measurement with its standard error, and a rival.

A claim that fails raises, so a notebook that runs is a notebook whose claims hold. Its
record travels in the cell's output; the book's ledger page is made from those records.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import one_of

__all__ = ["Claim", "ClaimFailed", "ClaimTable", "Rival", "claim_table", "standard_error"]

MIME = "application/vnd.collapse.claims+json"
AGREES = 4.0  # |z| below which theory and measurement agree
REJECTS = 5.0  # |z| above which a rival is rejected
# The same where numbers vary with the machine: a run elsewhere is a new draw of a few seeds, and
# a draw may fall short of the mark that the stored one met.
REJECTS_ELSEWHERE = 3.0
PRECISE = 0.01  # largest standard error relative to theory, probabilities below 0.05 excepted

# How each kind is said in text, and in a table.
RELATION = {"equality": "theory", "bound": "bound", "ordering": "more than", "exponent": "exponent"}
SIGN = {"bound": "≤ ", "ordering": "> "}
KINDS = tuple(RELATION)
BELIEFS = {
    "leading order": "a limit or a first-order form is taken for the exact value",
    "neglected term": "an effect is left out, or taken to be absent",
    "estimator": "the value of another estimator",
    "design": "the value of another design of the experiment, or another law of sampling",
    "policy": "the value of another policy",
    "independence": "what depends on each other is taken to be independent",
    "published constant": "a number or a formula as it stands in print",
}
"""What sort of belief a rival is."""
HEADINGS = ("Theory", "Measured", "z", "Rival, rejected", "its z")

Row = tuple[str, str, float, ArrayLike | tuple[float, float], tuple[str, float, str]]
"""Name, statement, theory, measurement and rival: see `claim_table`."""


class ClaimFailed(AssertionError):
    """The data contradict the theory, or cannot tell it from its rival."""


def standard_error(samples: ArrayLike, axis: int = 0) -> FloatOrArray:
    """Standard error of the mean of independent samples along an axis.

    Parameters
    ----------
    samples : array_like, (…, replicates, …)
    axis : int
        That of the replicates.

    Returns
    -------
    float or ndarray
        Without that axis.

    Examples
    --------
    >>> standard_error([1.0, 2.0, 3.0, 4.0]).round(4)
    np.float64(0.6455)
    """
    samples = np.asarray(samples, dtype=float)
    if samples.shape[axis] < 2:
        raise ValueError(f"samples must number at least 2, got {samples.shape[axis]}")
    error: FloatOrArray = samples.std(axis=axis, ddof=1) / math.sqrt(samples.shape[axis])
    return error


@dataclass(frozen=True)
class Rival:
    """What somebody might have believed instead.

    Attributes
    ----------
    name : str
    value : float
        Its prediction for the same quantity, known before the run.
    z : float
        Distance of the measurement from it, in standard errors.
    why : str
        Which sort of belief it is: a key of `BELIEFS`.
    """

    name: str
    value: float
    z: float
    why: str


@dataclass(frozen=True)
class Claim:
    """One checked statement; made by `claim_table`.

    Attributes
    ----------
    id, chapter, result : str
        Name, chapter, and the result's number in the book (D1, P2, …).
    source, statement : str
        Who says it, and what.
    kind : {"equality", "bound", "ordering", "exponent"}
    theory, measured, stderr, z : float
        z = (measured − theory)/stderr.
    rival : Rival
    varies : bool
        Whether the numbers vary with the reader's machine: with its text, or its arithmetic.
    """

    id: str
    chapter: str
    result: str
    source: str
    statement: str
    kind: str
    theory: float
    measured: float
    stderr: float
    z: float
    rival: Rival
    varies: bool = False

    def shown(self) -> tuple[str, ...]:
        """Theory, measurement, z, rival and its z as strings, to two digits of the error."""
        digits = max(0, 1 - math.floor(math.log10(self.stderr)))
        return (
            f"{self.theory:,.{digits}f}",
            f"{self.measured:,.{digits}f} ± {self.stderr:.{digits}f}",
            _score(self.z),
            f"{self.rival.value:,.{digits}f}" if self.rival.value else "0",
            _score(self.rival.z),
        )

    def __str__(self) -> str:
        theory, measured, z, rival, rival_z = self.shown()
        return (
            f"{RELATION[self.kind]} {theory}  measured {measured}  z {z}  "
            f'rival "{self.rival.name}" ({self.rival.why}) {rival} rejected at z {rival_z}'
        )


@dataclass(frozen=True)
class ClaimTable:
    """Claims shown together: aligned lines in text, a table in HTML, records for the ledger.

    Attributes
    ----------
    claims : tuple of Claim
    """

    claims: tuple[Claim, ...]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        head = "".join(f'<th scope="col">{heading}</th>' for heading in ("Claim", *HEADINGS))
        return {
            "text/plain": "\n".join(map(_lines, self.claims)),
            "text/html": f'<table class="cl-claims"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(map(_row, self.claims))}</tbody></table>",
            MIME: [asdict(c) for c in self.claims],
        }


def claim_table(
    chapter: str,
    result: str,
    source: str,
    *rows: Row,
    kind: str = "equality",
    probability: bool = False,
    varies: bool = False,
) -> ClaimTable:
    """Check statements about one result against data, and against rivals to be rejected.

    Parameters
    ----------
    chapter, result, source : str
        The chapter, the result's number in the book, such as ``"D1"``, and the paper and
        section or the chapter's own theorem.
    *rows : (name, statement, theory, measurement, rival)
        ``theory`` is the predicted value, the bound, or the value to be exceeded (ordering);
        ``measurement`` an array of independent samples, of which the mean is taken, or a pair
        (measured, stderr); ``rival`` is (name, value, why): the nearest believable wrong
        theory, its value, not measured in the same run, and its key in `BELIEFS`. With the
        chapter in front, a name is unique in the book.
    kind : {"equality", "bound", "ordering", "exponent"}
        equality and exponent: |z| < 4. bound: the measurement does not exceed theory by
        more than 4 standard errors, and the rival bound is exceeded. ordering: the
        measurement exceeds theory by more than 5.
    probability : bool
        The quantity is a probability: below 0.05 it may have a larger relative error.
    varies : bool
        The numbers vary with the machine, with the text that ships with its Python or with
        the rounding of trained networks; stored output is then compared by verdict only. A
        run on another machine is a new draw: 3 standard errors are asked for instead of 5. The
        stored record has to reach 5 (a test of the notebooks).

    Returns
    -------
    ClaimTable

    Raises
    ------
    ClaimFailed
        If the data contradict a claim, are too few to matter (standard error above 1 % of
        theory, probabilities below 0.05 excepted), or do not reject the rival at |z| > 5
        (3 where numbers vary).

    Examples
    --------
    >>> flips = np.repeat([0.0, 1.0], [50_300, 49_700])
    >>> rival = ("edge counts too", 0.6, "neglected term")
    >>> coin = ("coin", "a fair coin shows heads half the time", 0.5, flips, rival)
    >>> print(claim_table("demo", "X1", "folklore", coin)._repr_mimebundle_()["text/plain"])
    ✓ X1  demo.coin: a fair coin shows heads half the time
          theory 0.5000  measured 0.4970 ± 0.0016  z -1.9  rival "edge counts too" (neglected term) 0.6000 rejected at z -65.1
    """
    one_of("kind", kind, KINDS)
    made = []
    for name, statement, theory, measurement, (rival, rival_value, why) in rows:
        id = f"{chapter}.{name}"
        one_of(f"why of the rival of claim {id}", why, BELIEFS)
        if isinstance(measurement, tuple):
            measured, stderr = measurement
        else:
            measured = float(np.mean(np.asarray(measurement)))
            stderr = float(standard_error(measurement))
        _check_numbers(id, theory=theory, measured=measured, rival=rival_value, stderr=stderr)
        theory, measured, stderr = float(theory), float(measured), float(stderr)
        if rival_value == theory:
            raise ValueError(f"rival of claim {id} must differ from its theory, got {theory} twice")
        z, rival_z = (measured - theory) / stderr, (measured - rival_value) / stderr
        named = (id, chapter, result, source, statement, kind)
        believed = Rival(rival, float(rival_value), float(rival_z), why)
        c = Claim(*named, theory, measured, stderr, z, believed, varies)
        _check(c, small_probability=probability and 0 < theory < 0.05)
        made.append(c)
    return ClaimTable(tuple(made))


def _check_numbers(id: str, **values: float) -> None:
    if not re.fullmatch(r"[\w-]+(\.[A-Za-z][\w-]*)+", id):
        raise ValueError(
            f"id must read 'chapter.name', letters, digits, dots and hyphens, a letter after "
            f"each dot, got {id!r}"
        )
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} of claim {id} must be finite, got {value}")
    if values["stderr"] <= 0:
        raise ValueError(f"stderr of claim {id} must be more than 0, got {values['stderr']}")


def _check(c: Claim, *, small_probability: bool) -> None:
    """Raise unless the data agree with the claim, matter, and reject its rival."""
    far = REJECTS_ELSEWHERE if c.varies else REJECTS
    agrees, rejected = abs(c.z) < AGREES, abs(c.rival.z) > far
    if c.kind == "bound":
        agrees, rejected = c.z < AGREES, c.rival.z > far
    elif c.kind == "ordering":
        agrees = c.z > far
    elif c.stderr > PRECISE * abs(c.theory) and not small_probability:
        raise ClaimFailed(
            f"{c.id}: standard error {c.stderr:.3g} is above 1 % of theory {c.theory:.6g}"
        )
    if not agrees:
        raise ClaimFailed(f"{c.id}: {c.kind} does not hold: {c}")
    if not rejected:
        raise ClaimFailed(f"{c.id}: the data do not reject the rival: {c}")


def _score(z: float) -> str:
    return f"{z:+.1f}" if abs(z) >= 0.05 else "0.0"


def _lines(c: Claim) -> str:
    shown = f"⟦{c}⟧" if c.varies else str(c)
    return f"✓ {c.result:<3} {c.id}: {c.statement}\n      {shown}"


def _row(c: Claim) -> str:
    theory, *others = c.shown()
    numbers = [html.escape(SIGN.get(c.kind, "") + theory), *others]
    if c.varies:
        numbers = [f'<span class="varies">{number}</span>' for number in numbers]
    numbers[3] = f"{html.escape(c.rival.name)} ({c.rival.why}): {numbers[3]}"
    # On a narrow page the book shows each cell on its own line, with its label.
    cells = "".join(
        f'<td data-label="{heading}">{number}</td>'
        for heading, number in zip(HEADINGS, numbers, strict=True)
    )
    title = f"<strong>{c.result}</strong> {html.escape(c.statement)}"
    return f'<tr id="claim-{c.id}"><th scope="row">{title}</th>{cells}</tr>'
