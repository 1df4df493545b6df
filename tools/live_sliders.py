"""Move the live sliders of a notebook, from inside its kernel."""


def move_every_slider():
    """Move each slider of each interactive figure shown here to a value that no page stores.

    Returns the number of figures and of sliders. The function is also copied, as text, into a
    notebook that runs where the book's tools are not: it imports what it needs.
    """
    import gc

    from collapse_lib.book.explorer import Explorer

    figures = [thing for thing in gc.get_objects() if type(thing) is Explorer]
    shown = [figure for figure in figures if hasattr(figure, "_shown")]
    moved = 0
    for figure in shown:
        picture, *sliders, sentence = figure._shown.children
        for stored, slider in zip(figure.grid.values(), sliders, strict=True):
            before, start = picture.value, slider.value
            if hasattr(slider, "options"):
                offered = [value for _, value in slider.options]
            else:
                steps = round((slider.max - slider.min) / slider.step)
                offered = [slider.min + k * slider.step for k in range(steps + 1)]
            # A slider over words, or over neighbouring numbers, has no value between.
            between = [value for value in offered if value not in stored] or offered
            slider.value = max(between, key=lambda value: offered.index(value) * (value != start))
            name = f"{slider.description} = {slider.value} after {start}"
            assert picture.value != before, f"the figure stays as it was at {name}"
            assert "<svg" in picture.value and sentence.value, f"nothing is shown at {name}"
            slider.value = start
            assert picture.value == before, f"the figure does not come back from {name}"
            moved += 1
    return len(shown), moved
