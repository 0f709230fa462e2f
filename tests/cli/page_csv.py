#!/usr/bin/env python3
"""page_csv.py FILE ID EXPRESSION: the rows of a figure's CSV as `rows` (its first column, then numbers) under an expression that must hold."""
import csv
import re
import sys
from urllib.parse import unquote

text = open(sys.argv[1], encoding="utf-8").read()
figure = re.search(f'<figure id="{sys.argv[2]}">.*?</figure>', text, re.S)
if not figure:
    sys.exit(f"{sys.argv[1]} has no figure {sys.argv[2]}")
data = unquote(re.search(r'href="data:text/csv;charset=utf-8,([^"]*)"', figure.group(0)).group(1))
head, *table = csv.reader(data.strip().split("\r\n"))
rows = [[row[0]] + [float(cell) if cell else None for cell in row[1:]] for row in table]
if not eval(sys.argv[3]):
    sys.exit(f"{sys.argv[1]}, {sys.argv[2]}: not so: {sys.argv[3]}\n{data}")
