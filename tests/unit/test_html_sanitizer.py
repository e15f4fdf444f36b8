"""Markup of strangers after the sanitiser: nothing in it acts, loads or leaves its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markup_attacks import ALL, ATTACKS

from masumi_sumi.html_sanitizer import clean_markup, escape_text, render_markdown

ALLOWED = set(
    """a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt
    em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small
    span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr""".split()  # noqa: SIM905
)
ADDRESSES = {"href", "src", "action", "formaction", "data", "srcset", "poster", "background"}


class Reader(HTMLParser):
    """The tags, attributes and words of some markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data


def assert_inert(markup: str) -> None:
    for tag, attributes in Reader(markup).tags:
        assert tag in ALLOWED, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            assert name not in ADDRESSES - {"href", "src"}, name
            if name in ("href", "src"):
                safe = ("https://", "http://", "mailto:", "tel:", "/files/", "#content-")
                assert value.lower().startswith((*safe, "data:image/")), value
            if name == "id":
                assert value.startswith("content-")
            if name == "style":
                assert "url" not in value
                assert "position" not in value


@pytest.mark.parametrize("attack", [*ATTACKS, ALL])
def test_no_attack_is_left(attack: str) -> None:
    cleaned = clean_markup(attack)

    assert_inert(cleaned)
    assert clean_markup(cleaned) == cleaned


PIECES = st.lists(
    st.sampled_from(["<", ">", '"', "'", "=", "/", " ", "&", ";", "<!--", "-->", "\t", "\x00"])
    | st.sampled_from(
        ["<svg", "<math", "<style>", "<img src=", "<a href=", "javascript:", "onerror"]
    )
    | st.sampled_from(
        ["<table>", "</table>", "<p>", "<form>", "<select>", "<template>", "<![CDATA["]
    )
    | st.sampled_from(ATTACKS)
    | st.text(max_size=5),
    max_size=12,
).map("".join)


@given(PIECES)
def test_nothing_that_is_put_together_acts(markup: str) -> None:
    cleaned = clean_markup(markup)

    assert_inert(cleaned)
    assert_inert(clean_markup(cleaned))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_an_escaped_text_is_shown_as_it_is(text: str) -> None:
    (tag,) = Reader(f'<p title="{escape_text(text)}">').tags

    assert tag == ("p", {"title": text})
    assert Reader(escape_text(text)).words == text


@pytest.mark.parametrize(
    "markup",
    [
        "<h1>Title</h1>\n<p>A <strong>word</strong> and <em>one</em><br>more.</p>",
        '<pre><code class="language-python">x &lt; y</code></pre>',
        '<table><thead><tr><th align="left">A</th></tr></thead></table>',
        '<p style="color:red">red</p>',
        '<div class="space"></div><hr class="medium">',
        '<span class="info-text">RESULT</span>',
        '<img alt="chart" src="/files/65a1/out/chart%201.png">',
        '<img src="data:image/png;base64,iVBORw0KGgo=">',
    ],
)
def test_what_documents_are_made_of_stays(markup: str) -> None:
    assert clean_markup(markup) == markup


def test_links_stay_and_tell_the_other_side_nothing() -> None:
    link = '<a href="https://example.com/a?b=c" rel="noopener noreferrer nofollow">there</a>'

    assert clean_markup('<a href="https://example.com/a?b=c">there</a>') == link


def test_a_link_inside_a_document_still_meets_its_target() -> None:
    cleaned = clean_markup('<a href="#part">see</a><h2 id="part">Part</h2>')

    assert 'href="#content-part"' in cleaned
    assert 'id="content-part"' in cleaned


@pytest.mark.parametrize(
    "address", ["/logout", "/files/../logout", "/files/a/%2e%2e/b", "//e.org/x"]
)
def test_an_address_of_the_panel_that_acts_is_never_loaded(address: str) -> None:
    cleaned = clean_markup(f'<img alt="x" src="{address}"><a href="{address}">y</a>')

    assert "src" not in cleaned
    assert "href" not in cleaned


def test_a_picture_from_elsewhere_is_a_link_to_it() -> None:
    (tag,) = Reader(clean_markup('<img src="https://e.org/a.png" alt="A <chart>">')).tags

    assert tag[0] == "a"
    assert tag[1]["href"] == "https://e.org/a.png"


SLOW = (
    "[",
    "![",
    "[a](",
    "[](<",
    "<a ",
    "<div>",
    "<",
    "> ",
    "**a",
    "*a_ ",
    "_a",
    "` a",
    "x\n#",
    "&",
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", SLOW)
@pytest.mark.parametrize("show", [render_markdown, clean_markup])
def test_no_text_keeps_the_gateway_busy(show: Callable[[str], str], piece: str) -> None:
    """Where Kodosumi's parser would take minutes."""
    began = time.process_time()

    assert_inert(show(piece * (32_768 // len(piece))))

    assert time.process_time() - began < 5.0


def test_a_long_document_is_still_one() -> None:
    row = "<tr><td>a</td><td>b</td></tr>"
    table = f"<table><tbody>{row * 3000}</tbody></table>"

    assert clean_markup(table) == table
    assert render_markdown("* point\n" * 3000).count("<li>") == 3000


@pytest.mark.parametrize(
    "markup",
    [
        "<p>" + "".join(f"<b id={n}>" for n in range(490)) + "<p>x" * 2000,
        "".join(f"<a title={n}><i>" for n in range(240)) + "<div>x</div>" * 20_000,
        "<div></z>" * 100_000,
        "<div></p></li></b>" * 50_000,
        "<div>x</div>" * 200_000,
    ],
)
def test_markup_that_would_grow_is_shown_as_text(markup: str) -> None:
    began = time.process_time()

    shown = clean_markup(markup)

    assert shown.startswith("<pre>")
    assert time.process_time() - began < 5


def test_a_document_with_many_tags_is_still_one() -> None:
    markup = "<ul>" + "<li><b>name</b>: <i>value</i> <a href='https://x.example'>x</a>" * 3000
    assert "<li><b>name</b>" in clean_markup(markup)
