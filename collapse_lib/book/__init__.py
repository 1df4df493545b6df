"""What the pages need and no subject knows: figures, claims, questions, style."""

from collapse_lib.book import style
from collapse_lib.book.claims import Claim, ClaimFailed, claim_table, standard_error
from collapse_lib.book.explorer import Explorer, explore
from collapse_lib.book.quizzes import Question, quiz

__all__ = [
    "Claim",
    "ClaimFailed",
    "Explorer",
    "Question",
    "claim_table",
    "explore",
    "quiz",
    "standard_error",
    "style",
]
