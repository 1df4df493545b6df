"""Make a page of the built book fit for paper.

The page keeps its words, formulas and pictures. What only a screen can do goes: folded code,
buttons, links to what is not printed. Answers and solutions move to the end of the chapter.
What style can do, for a page that is printed alone too, ``print.css`` does.
"""

import re
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, NavigableString, Tag

# What the theme adds for the screen, and the code that a page keeps folded.
NOT_ON_PAPER = "script, button, .headerlink, .toctree-wrapper, details.hide"
# An interactive figure and a quiz carry names of their own, made from their content.
OWN_NAMES = ".cl-explorer, .cl-quiz"
# Stands where a page number will, so that the lines do not move when it comes.
PLACEHOLDER = "000"
STOP = re.compile(r"[.,;:!?)’”]+")


def name_in_print(page: str, place: str = "") -> str:
    """Return the name, unique in the whole book, of a page or of a place on it."""
    return page.rpartition("/")[2] + "--" + place


def new(kind: str, *inside: Tag | str, **attributes: str) -> Tag:
    """Return a new element; its class is given as `class_`."""
    if "class_" in attributes:
        attributes["class"] = attributes.pop("class_")
    element = BeautifulSoup("", "html.parser").new_tag(kind, attrs=attributes)
    element.extend(inside)
    return element


def page_number(place: str) -> Tag:
    """Return room for the number of the page where a place is printed."""
    return new("span", PLACEHOLDER, **{"class_": "print-page", "data-of": place})


def chapter(page: BeautifulSoup, name: str, names: list[str]) -> Tag:
    """Return the article of a page, such as ``chapters/the-loop``, made ready for paper.

    A link to a page that is not among the `names` of this printing becomes plain text.
    """
    article = page.select_one("article.bd-article")
    for gone in article.select(NOT_ON_PAPER):
        gone.decompose()
    rename(article, name)
    for link in article.find_all("a", href=True):
        lead_into_print(link, name, names)
    name_pages(article, name)
    glue_stops(article)
    move_answers(article, name)
    article.name = "section"
    article["id"] = name_in_print(name)
    article["class"] = ["bd-article", "print-chapter"]
    return article


def rename(article: Tag, name: str) -> None:
    """Give every place of a page a name that no other page has."""
    own = {id(part) for box in article.select(OWN_NAMES) for part in [box, *box.find_all(True)]}
    for element in article.find_all(id=True):
        if id(element) not in own:
            element["id"] = name_in_print(name, element["id"])


def lead_into_print(link: Tag, name: str, names: list[str]) -> None:
    """Let a link lead to its place in print; what is not printed is no link."""
    parts = urlsplit(link["href"])
    if parts.scheme:
        return
    path, place = unquote(parts.path), unquote(parts.fragment)
    page = f"{name.rpartition('/')[0]}/{path.removesuffix('.html')}" if path else name
    if page not in names or not (path.endswith(".html") or not path):
        link.unwrap()
        return
    link["href"] = "#" + name_in_print(page, place)


def name_pages(article: Tag, name: str) -> None:
    """Say, once a paragraph, on which page the place in another chapter is that a link leads to."""
    said = set()
    for link in article.select('a[href^="#"]'):
        paragraph, place = link.find_parent(["p", "td", "li"]), link["href"].removeprefix("#")
        elsewhere = not place.startswith(name_in_print(name))
        cited = link.find_parent(class_="bibtex-citation")
        if paragraph and elsewhere and not cited and (id(paragraph), place) not in said:
            said.add((id(paragraph), place))
            link.append(new("span", " (p. ", page_number(place), ")", class_="print-on"))


def glue_stops(article: Tag) -> None:
    """Keep a comma or full stop on the line of the formula before it."""
    for formula in article.select("span.math"):
        text = formula.next_sibling
        stop = isinstance(text, NavigableString) and STOP.match(text)
        if stop:
            glued = formula.wrap(new("span", class_="print-glued"))
            glued.append(stop.group())
            text.replace_with(text[stop.end() :])


def move_answers(article: Tag, name: str) -> None:
    """Move answers and solutions to the end of the chapter, and say where they are."""
    place = name_in_print(name, "print-solutions")
    last = new("section", new("h2", "Solutions"), id=place, class_="print-solutions")
    for quiz in article.select(".cl-quiz"):
        last.append(answers(quiz, f"{name_in_print(name)}{quiz['id']}-answers"))
    for solution in article.select("div.admonition.solution"):
        solution["class"] = ["solution"]
        exercise = article.find(id=solution.a["href"].removeprefix("#"))
        exercise.append(see("Solution on page ", solution["id"]))
        last.append(solution.extract())
    if len(last.contents) > 1:
        article.find("section").append(last)


def answers(quiz: Tag, place: str) -> Tag:
    """Take the right answers out of a quiz, and return them as a box of their own."""
    title = new("p", "Check yourself: answers", class_="admonition-title")
    box = new("div", title, id=place, class_="solution")
    for number, question in enumerate(quiz.select("fieldset"), start=1):
        reasons = question.div.extract()
        right = reasons.select_one(".cl-right")
        right.insert(0, f"{number}. ")
        box.append(right.extract())
    quiz.select_one(".cl-how").decompose()
    quiz.append(see("Answers on page ", place))
    return box


def see(words: str, place: str) -> Tag:
    """Return a line that names the page where a place is printed."""
    return new("p", new("a", words, page_number(place), href=f"#{place}"), class_="print-see")
