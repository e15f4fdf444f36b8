"""Make markup of buyers and authors safe for the panel's pages.

``clean_markup`` keeps what a document needs: headings, lists, tables, code, links and images of
the panel itself. Scripts, forms, frames, foreign styles and event handlers are removed.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt

_TEXT_TAGS = """a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div
    dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section
    small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr"""
_TAGS = frozenset(_TEXT_TAGS.split())
_REMOVED_WITH_CONTENT = {"script", "style", "title", "noscript", "template", "textarea", "iframe"}

_EVERYWHERE = {"class", "dir", "id", "lang", "style", "title"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "target"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# No property that positions, covers, loads or generates content.
_STYLE_NAMES = """
    border border-bottom border-collapse border-color border-left border-radius border-right
    border-spacing border-style border-top border-width color background-color font-family
    font-size font-style font-weight height letter-spacing line-height list-style-type max-width
    min-width overflow-wrap padding padding-bottom padding-left padding-right padding-top
    text-align text-decoration text-indent text-transform vertical-align white-space width
    word-break word-spacing word-wrap"""
_STYLES = set(_STYLE_NAMES.split())
# Of the panel's style sheet: what lays out text. Names that cover or move parts of a page
# (modal, overlay, fixed, absolute, ...) are not among them.
_CLASS = re.compile(
    r"""info-l[1-3] | info-text | inputs-label | error-text | monospace
    | language-[\w+#.-]+ | codehilite | highlight | toc | toclink | headerlink
    | footnote(?:-ref|-backref)? | linenos? | [a-z]{1,2}[0-9]? | ansi[\w-]+ | inv(?:ert)?[\w-]*
    | (?:(?:tiny|small|medium|large|extra)-)?
      (?:space|divider|text|padding|margin|round|width|height)
    | (?:primary|secondary|tertiary|error)(?:-text|-container|-border)?
    | (?:left|right|center|top|middle|bottom)-align | no-(?:padding|margin|space|round)
    | grid | row | border | bold | italic | underline | small | medium | large | responsive
    | [sml](?:1[0-2]|[1-9]) | chip | card""",
    re.VERBOSE,
)
# A stranger's text is rendered in the gateway's process, which has others to answer.
_MARKDOWN = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])
_MOST_MARKDOWN = 200_000
_MOST_BRACKETS = 2000
_DEEPEST = 500
_LONGEST = 1_000_000
_MOST_REOPENED = 200_000
_FORMATTING_TAGS = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_TAGS.split())
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_CLOSED_BY_THEMSELVES = frozenset({"br", "col", "hr", "img", "input", "wbr", "p", "li", "td", "tr"})

_ID_PREFIX = "content-"
_SCHEMES = {"http", "https", "mailto", "tel", "data"}
_LINK = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_FILE = re.compile(r"/files/[^\\?#]+")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+", re.I)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0]")


class SafeMarkup(str):
    """Markup that a template shows as it is; every other text it escapes."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def render_markdown(text: str) -> SafeMarkup:
    """Return Markdown as clean HTML, and what would take long to parse as plain text."""
    if len(text) > _MOST_MARKDOWN or text.count("[") > _MOST_BRACKETS:
        return show_plain(text)
    return clean_markup(_MARKDOWN.render(text))


def show_plain(text: object) -> SafeMarkup:
    """Return a text as a block that shows it to the letter."""
    return SafeMarkup(f"<pre>{escape_text(text)}</pre>")


def clean_markup(markup: str) -> SafeMarkup:
    """Return the markup without anything that acts, loads or leaves its place."""
    if len(markup) > _LONGEST or _costs_too_much(markup):
        return show_plain(markup)
    return SafeMarkup(_clean(_link_foreign_images(_clean(markup))))


def escape_text(text: object) -> SafeMarkup:
    """Return markup that shows exactly this text, also as the value of an attribute."""
    return SafeMarkup(escape(str(text)))


def _costs_too_much(markup: str) -> bool:
    """Tell whether a parser would take long: for deep nesting, or for open formatting tags, which
    it opens again inside of each block that follows.

    A closing tag counts only where such a tag is open: parsers ignore the others.
    """
    opened: Counter[str] = Counter()
    depth = deepest = formatting = most_formatting = tags = 0
    for closing, written in _TAG.findall(markup):
        name, tags = written.lower(), tags + 1
        if name in _CLOSED_BY_THEMSELVES or (closing and not opened[name]):
            continue
        step = -1 if closing else 1
        opened[name] += step
        depth += step
        formatting += step if name in _FORMATTING else 0
        deepest, most_formatting = max(deepest, depth), max(most_formatting, formatting)
    return deepest > _DEEPEST or most_formatting * tags > _MOST_REOPENED


def _clean(markup: str) -> str:
    return nh3.clean(
        markup,
        tags=set(_TAGS),
        clean_content_tags=_REMOVED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_attribute,
        url_schemes=_SCHEMES,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow",
    )


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value to keep; None removes the attribute."""
    if name == "class":
        return " ".join(each for each in value.split() if _CLASS.fullmatch(each)) or None
    if name == "id":
        # Scripts of a page find their elements by id: none of these is one of those.
        return f"{_ID_PREFIX}{value.removeprefix(_ID_PREFIX)}"
    if name == "style":
        return None if re.search(r"url|expression|\\|@|/\*", value, re.IGNORECASE) else value
    if name == "target":
        return "_blank"
    if name == "href":
        return _filter_link(value)
    if name == "src":
        return value.strip() if _is_own_picture(value) or _is_web_address(value) else None
    return value


def _filter_link(address: str) -> str | None:
    address = address.strip()
    if address.startswith("#"):
        return f"#{_ID_PREFIX}{address[1:].removeprefix(_ID_PREFIX)}"
    return address if _is_file(address) or _LINK.match(address) else None


def _is_own_picture(address: str) -> bool:
    return _is_file(address.strip()) or bool(_PICTURE.fullmatch(address.strip()))


def _is_web_address(address: str) -> bool:
    return bool(re.match(r"https?://", address.strip(), re.IGNORECASE))


def _is_file(address: str) -> bool:
    """Tell whether it is a file of an execution, and stays one after a browser resolved it.

    Other addresses of the panel do something when they are merely loaded, as ``/logout`` does.
    """
    parts = unquote(address).split("/")
    named = "." not in parts and ".." not in parts and "" not in parts[1:]
    return bool(_FILE.fullmatch(address)) and named and not _UNSEEN.search(address)


def _link_foreign_images(markup: str) -> str:
    """Put a link in the place of each image that another server would have to be asked for."""
    if "<img" not in markup:
        return markup
    copier = _ImageLinker()
    copier.feed(markup)
    copier.close()
    return "".join(copier.pieces)


class _ImageLinker(HTMLParser):
    """Copy clean markup, except for its foreign images."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        address = facts.get("src")
        if tag != "img" or not address or _is_own_picture(address):
            self.pieces.append(self.get_starttag_text() or "")
            return
        shown = escape(facts.get("alt") or address)
        self.pieces.append(f'<a href="{escape(address)}" target="_blank">{shown}</a>')

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")
