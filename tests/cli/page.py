#!/usr/bin/env python3
"""page.py FILE [FIGURES]: whether an HTML report is well-formed and stands alone; prints what is wrong with it."""
import re
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.refs, self.wrong, self.count, self.csv = [], set(), [], [], {}, []

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        for name, value in attrs:
            if name == "id":
                if value in self.ids:
                    self.wrong.append(f"id {value} is given twice")
                self.ids.add(value)
            if name in ("href", "xlink:href"):
                if value.startswith("data:text/csv"):
                    self.csv.append(unquote(value.split(",", 1)[1]))
                elif value.startswith("#"):
                    self.refs.append(value[1:])
                else:
                    self.wrong.append(f"a link leaves the page: {value}")
            if name.startswith("on") or name in ("src", "srcset", "action"):
                self.wrong.append(f"{tag} has {name}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'} at {self.getpos()}")
        else:
            self.open.pop()


text = open(sys.argv[1], encoding="utf-8").read()
page = Page()
page.feed(text)
page.close()
wrong = page.wrong + [f"{tag} is never closed" for tag in page.open]
wrong += [f"#{ref} is nowhere" for ref in page.refs if ref not in page.ids]
wrong += [f"<{tag}>" for tag in ("script", "link", "iframe", "object", "img") if page.count.get(tag)]
if "://" in text or "url(" in text or "@import" in text:
    wrong.append("something is loaded from elsewhere")
if re.search(r"<h2>[^<]*</h2>\s*(<h2>|</main>)", text):
    wrong.append("a section is empty")
for table in page.csv:
    widths = {len(re.sub(r'"[^"]*"', "", line).split(",")) for line in table.strip().split("\r\n")}
    if len(widths) != 1 or len(table.strip().split("\r\n")) < 2:
        wrong.append(f"a CSV is ragged or empty: {table[:80]!r}")
if len(page.csv) != page.count.get("figure", 0):
    wrong.append(f"{page.count.get('figure', 0)} figures have {len(page.csv)} CSVs")
plots = text.count('<svg class="plot"')
if len(sys.argv) > 2 and plots != int(sys.argv[2]):
    wrong.append(f"{plots} drawings, not {sys.argv[2]}")
if plots and plots != page.count.get("figure", 0):
    wrong.append(f"{page.count.get('figure', 0)} figures have {plots} drawings")
for colour in re.findall(r"rgb\( *(\d+), *(\d+), *(\d+)\)", text):
    if colour == ("0", "0", "0"):
        wrong.append("black ink, which a dark page swallows")
for line in wrong:
    print(f"{sys.argv[1]}: {line}")
sys.exit(1 if wrong else 0)
