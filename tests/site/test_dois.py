"""The check of DOIs: which are found in the bibliography, and what is said of each."""

from tools import dois


def test_every_doi_of_the_bibliography_is_found():
    text = dois.BIBLIOGRAPHY.read_text(encoding="utf-8")
    found = dois.dois(text)
    assert len(found) == text.count(" doi ") > 5
    assert all(doi.startswith("10.") for doi in found)


def test_a_doi_that_the_registry_does_not_know_is_named(loopback):
    (loopback.folder / "10.1016").mkdir()
    (loopback.folder / "10.1016" / "0304-4149(82)90011-4").write_text("{}", encoding="utf-8")
    assert not dois.fault("10.1016/0304-4149(82)90011-4", loopback.address)
    assert dois.fault("10.1016/wrong", loopback.address) == "no such DOI"


def test_a_registry_out_of_reach_is_said():
    assert "cannot be reached" in dois.fault("10.1000/182", "http://127.0.0.1:9/")
