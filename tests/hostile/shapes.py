"""The shape of a page: its elements, attributes or Markdown tokens, without what is said in it."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(" ".join([tag, *(name for name, _ in attrs)]))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.found.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("instruction")

    def unknown_decl(self, data: str) -> None:
        self.found.append("unknown declaration")


def html_shape(page: str) -> list[str]:
    """Return elements with the names of their attributes, in order."""
    parser = _Elements()
    parser.feed(page)
    parser.close()
    return parser.found


def markdown_shape(text: str) -> list[str]:
    """Return the kinds of Markdown tokens, in order; runs of text and escapes count as one."""
    found: list[str] = []
    for token in _MARKDOWN.parse(text):
        for inner in (token.children or []) if token.type == "inline" else [token]:
            kind = "text" if inner.type in ("text", "text_special", "softbreak") else inner.type
            if kind != "text" or found[-1:] != ["text"]:
                found.append(kind)
    return found
