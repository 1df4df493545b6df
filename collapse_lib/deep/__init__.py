"""Deep models that train on their own samples: the only part of the library that needs torch.

Many small models are trained as one: every tensor has a leading ensemble axis of
policies × seeds. The rooms: `stack` (the ensemble axis), `vae`, `transformer`, `torsion`
(the models), `rows` (what a policy trains on), `training` (one fit), `evolve` (the loop),
`checkpoint` (where it stands), `presets` (sizes and machines), `measures` and `sheets`
(numbers and pictures). What needs no torch: `corpus`, `stories`, `topic_language`, `pentane`
(data and exact laws), `image_metrics`, `paired` (measurement), `records` (stored runs).
"""

__all__ = ["need_torch"]


def need_torch() -> None:
    """Raise a helpful error if torch cannot be imported.

    Raises
    ------
    ModuleNotFoundError
        It says how to get torch.

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
