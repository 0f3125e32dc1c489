# SPDX-License-Identifier: ISC
"""doc/store-format.md has the tables of keys.def and records.def, row by
row. Run as a program it prints them."""
import re

from conftest import TREE

STRING = r'"((?:[^"\\]|\\.)*)"'


def table(name):
    text = (TREE / "src/libstore" / name).read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def plain(text):
    return re.sub(r"\\(.)", r"\1", text)


def key_rows():
    rows = []
    for m in re.finditer(r"KEYSPACE\((\w+),\s*'(.)',\s*%s,\s*%s\)" %
                         (STRING, STRING), table("keys.def")):
        rows.append("| `%s` | %s | %s | %s |" % (m[2], m[1], plain(m[3]),
                                                 plain(m[4])))
    return rows


def record_tables():
    """[title, row, row ...] of each record"""
    found = []
    for m in re.finditer(r"(RECORD|FIELD)\(([^\n]*)\)\n",
                         table("records.def")):
        if m[1] == "RECORD":
            name, version, gist = re.fullmatch(
                r"(\w+), (\d+), %s" % STRING, m[2]).groups()
            found.append(["**%s** (version %s; %s)" %
                          (name, version, plain(gist))])
            continue
        _, kind, field, size, gist = re.fullmatch(
            r"(\w+), (\w+), (\w+), (\d+), %s" % STRING, m[2]).groups()
        kind += "(%s)" % size if size != "0" else ""
        found[-1].append("| %s | %s | %s |" % (field, kind, plain(gist)))
    return found


def section(page, head):
    """the rows of the table that follows the line"""
    lines = page.split("\n")
    rows = []
    for line in lines[lines.index(head) + 1:]:
        if line.startswith("|"):
            rows.append(line)
        elif rows:
            break
    return rows[2:]


def test_tables_are_those_of_the_code():
    page = (TREE / "doc/store-format.md").read_text()
    keys = key_rows()
    assert len(keys) == table("keys.def").count("KEYSPACE(")
    assert section(page, "checksums of its own. A record that fails it is "
                   "reported with its key; the others stay usable.") == keys
    records = record_tables()
    assert len(records) == table("records.def").count("RECORD(")
    for title, *rows in records:
        assert section(page, title) == rows


if __name__ == "__main__":
    print("\n".join(key_rows()))
    for t in record_tables():
        print("\n%s\n\n| field | type | meaning |\n| --- | --- | --- |" % t[0])
        print("\n".join(t[1:]))
