"""Deep models that train on their own samples: the only part of the library that needs torch.

Many small models are trained as one: every tensor has a leading axis of members, policies ×
seeds. What needs no torch: `pentane` and `topic_language` (exact laws), `compare` (intervals
and stored runs).
"""

__all__ = ["need_torch"]


def need_torch() -> None:
    """Raise an error that says how to get torch, if it cannot be imported.

    Raises
    ------
    ModuleNotFoundError

    Examples
    --------
    >>> need_torch()
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "This chapter trains deep models and needs PyTorch: `pip install torch`, or open "
            "the notebook in Colab, which has it."
        ) from None
