"""Name the links within a built site that lead nowhere.

python docs/check_links.py build/site
"""

import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag links to, and its name."""
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]
        self.anchors |= {value for name, value in attrs if name in {"id", "name"} and value}


read_page = cache(Page)


def dead_links(site: Path) -> Iterator[str]:
    """Yield each link within the site that has no target."""
    # What the theme keeps in _static are no pages.
    for path in sorted(set(site.rglob("*.html")) - set(site.rglob("_static/*.html"))):
        for link in dict.fromkeys(read_page(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists():
                yield f"{path.relative_to(site)}: {link} does not exist"
            elif anchor and target.suffix == ".html" and anchor not in read_page(target).anchors:
                yield f"{path.relative_to(site)}: {link} has no such anchor"


if __name__ == "__main__":
    dead = list(dead_links(Path(sys.argv[1]).resolve()))
    print("\n".join(dead) or "no dead links within the site")
    sys.exit(bool(dead))
