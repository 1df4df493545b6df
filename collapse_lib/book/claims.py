"""How a claim looks: its numbers as strings, a line of text, a row of a table in HTML.

A claim: what a source says, theory, measurement with its standard error, and a rival.

A claim that fails raises, so a notebook that runs is a notebook whose claims hold. Its
record travels in the cell's output; the book's ledger page is made from those records.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from collapse_lib._types import ArrayLike, FloatOrArray
from collapse_lib.checks import one_of

__all__ = ["Claim", "ClaimFailed", "ClaimTable", "Rival", "claim", "claim_table", "standard_error"]


def _digits(c: Claim) -> int:
    """Decimals that the standard error justifies: two significant digits of it."""
    return max(0, 1 - math.floor(math.log10(c.stderr)))


def values(c: Claim) -> tuple[str, ...]:
    """Theory, measurement, rival and the two z-scores as strings."""
    d = _digits(c)
    return (
        f"{c.theory:,.{d}f}",
        f"{c.measured:,.{d}f} ± {c.stderr:.{d}f}",
        _score(c.z),
        f"{c.rival.value:,.{d}f}" if c.rival.value else "0",
        _score(c.rival.z),
    )


SIGN = {"bound": "≤ ", "ordering": "> "}
RELATION = {"equality": "theory", "bound": "bound", "ordering": "more than", "exponent": "exponent"}


def _score(z: float) -> str:
    return f"{z:+.1f}" if abs(z) >= 0.05 else "0.0"


def numbers(c: Claim) -> str:
    theory, measured, z, rival, rival_z = values(c)
    return (
        f"{RELATION[c.kind]} {theory}  measured {measured}  z {z}  "
        f'rival "{c.rival.name}" {rival} rejected at z {rival_z}'
    )


def line(c: Claim) -> str:
    shown = f"⟦{numbers(c)}⟧" if c.varies else numbers(c)
    return f"✓ {c.result:<3} {c.id}: {c.statement}\n      {shown}"


HEADINGS = ("Theory", "Measured", "z", "Rival, rejected", "its z")


def table(claims: Sequence[Claim]) -> str:
    head = "".join(f'<th scope="col">{heading}</th>' for heading in ("Claim", *HEADINGS))
    return (
        f'<table class="cl-claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(_row(c) for c in claims)}</tbody></table>"
    )


def _row(c: Claim) -> str:
    def number(text: str) -> str:
        return f'<span class="varies">{text}</span>' if c.varies else text

    theory, measured, z, rival, rival_z = values(c)
    cells = (
        number(html.escape(SIGN.get(c.kind, "") + theory)),
        number(measured),
        number(z),
        f"{html.escape(c.rival.name)}: {number(rival)}",
        number(rival_z),
    )
    # On a narrow page the book shows each cell on its own line, with its label.
    labelled = "".join(
        f'<td data-label="{heading}">{cell}</td>'
        for heading, cell in zip(HEADINGS, cells, strict=True)
    )
    title = f"<strong>{c.result}</strong> {html.escape(c.statement)}"
    return f'<tr id="claim-{c.id}"><th scope="row">{title}</th>{labelled}</tr>'


Row = tuple[str, str, float, ArrayLike | tuple[float, float], tuple[str, float]]
"""Name, statement, theory, measurement and rival: see `claim_table`."""

MIME = "application/vnd.collapse.claims+json"
KINDS = ("equality", "bound", "ordering", "exponent")
AGREES = 4.0  # |z| below which theory and measurement agree
REJECTS = 5.0  # |z| above which a rival is rejected
# The same where numbers vary with the machine: a run elsewhere is a new draw of a few seeds, and
# a draw may fall short of the mark that the stored one met.
REJECTS_ELSEWHERE = 3.0
PRECISE = 0.01  # largest standard error relative to theory, probabilities below 0.05 excepted


class ClaimFailed(AssertionError):
    """Raised by `claim` when the data contradict the theory or cannot tell it from its rival."""


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

    Raises
    ------
    ValueError
        If there are fewer than two samples.

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
        Its prediction for the same quantity.
    z : float
        Distance of the measurement from it, in standard errors.
    """

    name: str
    value: float
    z: float


@dataclass(frozen=True)
class Claim:
    """One checked statement; made by `claim`.

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

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return ClaimTable(self)._repr_mimebundle_()


def claim(
    id: str,
    statement: str,
    *,
    result: str,
    source: str,
    theory: float,
    rival: tuple[str, float],
    samples: ArrayLike | None = None,
    measured: float | None = None,
    stderr: float | None = None,
    kind: str = "equality",
    probability: bool = False,
    varies: bool = False,
) -> Claim:
    """Check a statement against data, and against a rival that the data must reject.

    Parameters
    ----------
    id : str
        ``"chapter.name"``, unique in the book.
    statement : str
        What is claimed, in a short sentence.
    result : str
        The result's number in the book, such as ``"D1"``.
    source : str
        The paper and section, or the chapter's own theorem.
    theory : float
        The predicted value, the bound, or the value to be exceeded (ordering).
    rival : (str, float)
        The name and the prediction of an alternative.
    samples : array_like, (replicates,), optional
        Independent measurements; their mean and its standard error are used.
    measured, stderr : float, optional
        The measurement and its standard error, where there are no samples.
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
    Claim

    Raises
    ------
    ClaimFailed
        If the data contradict the claim, are too few to matter (standard error above
        1 % of theory, probabilities below 0.05 excepted), or do not reject the rival
        at |z| > 5 (3 where numbers vary).
    ValueError
        If an argument is missing, not finite, or of the wrong form.

    Examples
    --------
    >>> flips = np.repeat([0.0, 1.0], [50_300, 49_700])
    >>> coin = claim("demo.coin", "a fair coin shows heads half the time", result="X1", source="folklore",
    ...              theory=0.5, samples=flips, rival=("a biased coin", 0.6))
    >>> print(coin._repr_mimebundle_()["text/plain"])
    ✓ X1  demo.coin: a fair coin shows heads half the time
          theory 0.5000  measured 0.4970 ± 0.0016  z -1.9  rival "a biased coin" 0.6000 rejected at z -65.1
    """
    if samples is not None and measured is None and stderr is None:
        measured = float(np.mean(np.asarray(samples)))
        stderr = float(standard_error(samples))
    elif samples is not None or measured is None or stderr is None:
        raise ValueError("samples or measured with stderr must be given, and not both")
    one_of("kind", kind, KINDS)
    if not re.fullmatch(r"[\w-]+(\.[A-Za-z][\w-]*)+", id):
        raise ValueError(
            f"id must read 'chapter.name', letters, digits, dots and hyphens, a letter after "
            f"each dot, got {id!r}"
        )
    chapter = id.partition(".")[0]
    rival_name, rival_value = rival
    for label, value in [
        ("theory", theory),
        ("measured", measured),
        ("rival", rival_value),
        ("stderr", stderr),
    ]:
        if not math.isfinite(value):
            raise ValueError(f"{label} of claim {id} must be finite, got {value}")
    if stderr <= 0:
        raise ValueError(f"stderr of claim {id} must be more than 0, got {stderr}")

    z = (measured - theory) / stderr
    rival_z = (measured - rival_value) / stderr
    made = Claim(
        id,
        chapter,
        result,
        source,
        statement,
        kind,
        float(theory),
        float(measured),
        float(stderr),
        float(z),
        Rival(rival_name, float(rival_value), float(rival_z)),
        varies,
    )
    _check(made, small_probability=probability and 0 < theory < 0.05)
    return made


def claim_table(chapter: str, result: str, source: str, *rows: Row, **options: Any) -> ClaimTable:
    """Make several claims about one result.

    Parameters
    ----------
    chapter, result, source : str
        Shared by all claims.
    *rows : (name, statement, theory, measurement, rival)
        ``measurement`` is an array of samples, or a pair (measured, stderr);
        ``rival`` a pair (name, value).
    **options
        Passed on to `claim`.

    Returns
    -------
    ClaimTable

    Raises
    ------
    ClaimFailed, ValueError
        As `claim`.

    Examples
    --------
    >>> flips = np.repeat([0.0, 1.0], [50_300, 49_700])
    >>> table = claim_table("demo", "X1", "folklore", ("coin", "heads", 0.5, flips, ("biased", 0.6)))
    >>> table.claims[0].id, round(table.claims[0].z, 1)
    ('demo.coin', -1.9)
    """
    return ClaimTable(
        *(
            claim(
                f"{chapter}.{name}",
                statement,
                result=result,
                source=source,
                theory=theory,
                rival=rival,
                **_measurement(measurement),
                **options,
            )
            for name, statement, theory, measurement, rival in rows
        )
    )


def _measurement(values: ArrayLike | tuple[float, float]) -> dict[str, Any]:
    if isinstance(values, tuple):
        return {"measured": values[0], "stderr": values[1]}
    return {"samples": values}


def _check(c: Claim, *, small_probability: bool) -> None:
    """Raise unless the data agree with the claim, matter, and reject its rival."""
    far = REJECTS_ELSEWHERE if c.varies else REJECTS
    if c.kind == "bound":
        agrees = c.z < AGREES
        rejected = c.rival.z > far
    elif c.kind == "ordering":
        agrees = c.z > far
        rejected = abs(c.rival.z) > far
    else:
        agrees = abs(c.z) < AGREES
        rejected = abs(c.rival.z) > far
        if c.stderr > PRECISE * abs(c.theory) and not small_probability:
            raise ClaimFailed(
                f"{c.id}: standard error {c.stderr:.3g} is above 1 % of theory {c.theory:.6g}"
            )
    if not agrees:
        raise ClaimFailed(f"{c.id}: {c.kind} does not hold: {numbers(c)}")
    if not rejected:
        raise ClaimFailed(f"{c.id}: the data do not reject the rival: {numbers(c)}")


@dataclass(frozen=True, init=False)
class ClaimTable:
    """Claims shown together: aligned lines in text, a table in HTML, records for the ledger.

    Parameters
    ----------
    *claims : Claim

    Examples
    --------
    >>> flips = np.repeat([0.0, 1.0], [50_300, 49_700])
    >>> coin = claim("demo.coin", "heads half the time", result="X1", source="folklore",
    ...              theory=0.5, samples=flips, rival=("a biased coin", 0.6))
    >>> [c.id for c in ClaimTable(coin).claims]
    ['demo.coin']
    """

    claims: tuple[Claim, ...]

    def __init__(self, *claims: Claim) -> None:
        object.__setattr__(self, "claims", claims)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": "\n".join(line(c) for c in self.claims),
            "text/html": table(self.claims),
            MIME: [asdict(c) for c in self.claims],
        }
