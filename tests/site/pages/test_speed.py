"""A page costs a phone little: the processor's time is asserted, which a busy machine leaves be."""

import pytest

from tools import speed


@pytest.fixture(scope="module")
def found(browser, site):
    return lambda page_name: speed.measured(browser, site + page_name, slower=1)


def test_a_page_is_there_at_once_and_stays_where_it_is(found, page_name):
    page = found(page_name)
    assert page["shift"] <= 0.05
    assert page["work"] <= 1.6, "seconds of this machine's processor, shared with other work"
