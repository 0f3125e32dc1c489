# SPDX-License-Identifier: ISC
"""The manual: every parameter, event, message and daemon is told of, and what
is made of the tables is what the tables say."""
import re
import subprocess

import pytest

from conftest import BUILD, TREE, have

SOURCES = sorted((TREE / "man").glob("*.in"))


def barid(*words):
    """what the command prints"""
    done = subprocess.run([str(BUILD / "bin/barid"), *map(str, words)],
                          capture_output=True, text=True, cwd=TREE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def pages():
    """the pages by name, "smtpd.8" """
    return {p.name[:-3]: barid("doc", "page", p) for p in SOURCES}


@pytest.fixture(scope="module")
def names():
    """(page, kind, name) of all that must be told of"""
    found = [line.split() for line in barid("doc", "names").splitlines()]
    assert {"daemon", "param", "event"} <= {kind for _, kind, _ in found}
    return found


def test_ipc_page_is_what_the_tables_say():
    """doc/ipc.md is printed by barid doc ipc and edited by nobody"""
    assert (TREE / "doc/ipc.md").read_text() == barid("doc", "ipc")


def test_every_conversation_is_told_of():
    text = (TREE / "doc/ipc.md").read_text()
    tables = list((TREE / "src/libglobal").glob("ipc_*.def"))
    assert tables
    for table in tables:
        name = table.stem.removeprefix("ipc_")
        assert "\n## %s\n" % name in text, table.name
        for message in re.findall(r"^MESSAGE\((\w+), (\d+)",
                                  table.read_text(), re.M):
            assert "\n### %s (%s, " % message in text, message


def test_every_daemon_has_a_page(pages, names):
    for page, kind, name in names:
        if kind == "daemon":
            assert page in pages
            assert ".Nm barid-%s\n" % name in pages[page]


def test_every_folder_of_programs_has_a_page(pages):
    for folder in (TREE / "src").iterdir():
        if folder.name.startswith("lib") or not folder.is_dir():
            continue
        if folder.name not in ("tools", "delivery"):
            assert {folder.name + ".8", folder.name + ".1"} & set(pages)


def test_every_table_of_parameters_and_events_is_told_of(names):
    """a new X_params.def or X_events.def needs a row in tables.def"""
    told = {kind: {n for _, k, n in names if k == kind}
            for kind in ("param", "event")}
    for kind, macro in (("param", "PARAM"), ("event", "EVENT")):
        for table in (TREE / "src").glob("*/*_%ss.def" % kind):
            if table.parent.name == "libmail":
                continue        # parameters of SMTP commands
            rows = re.findall(r"^%s\((?:[A-Z]+, )?(\w+)," % macro,
                              table.read_text(), re.M)
            missing = set(rows) - told[kind]
            assert not missing, table


def sources_of(folder):
    return "".join(p.read_text() for p in sorted(folder.iterdir())
                   if p.suffix in (".c", ".h", ".def") and
                   not re.search(r"(_params|_rows|^check_postfix)\.def$",
                                 p.name))


def is_read(name, own, others):
    """a field of a struct, an argument of a macro or of a lookup by name, or
    part of another value"""
    if re.search(r"(->|\.)%s\b" % name, own) or \
            re.search(r"^\s*[A-Z]+\((\w+, )?%s[,)]" % name, own, re.M):
        return True
    pasted = re.findall(r"->\w+##(\w+)", own)
    if any(name.endswith(p) for p in pasted):
        return True
    return re.search(r'"%s"|\$%s(\b|_)' % (name, name), others)


def test_every_parameter_is_read():
    """none is accepted and then ignored"""
    source = TREE / "src"
    folders = {f: sources_of(f) for f in source.iterdir() if f.is_dir()}
    everything = "".join(folders.values())
    tables = sorted(source.glob("*/*_params.def")) + \
        [source / "libglobal/shared_rows.def"]
    values = "".join(t.read_text() for t in tables)
    for table in tables:
        if table.parent.name == "libmail":
            continue            # parameters of SMTP commands
        # a shared row may be read by anybody
        own = everything if table.parent.name == "libglobal" else \
            folders[table.parent]
        for name in re.findall(r"^PARAM\([A-Z]+, (\w+),", table.read_text(),
                               re.M):
            assert is_read(name, own, everything + values), (table, name)


def test_every_parameter_is_in_main_cf(pages, names):
    for _, kind, name in names:
        if kind == "param":
            assert re.search(r"^\.It Va \S*%s Pq" % re.escape(name),
                             pages["main.cf.5"], re.M), name


def test_every_parameter_and_event_is_in_its_page(pages, names):
    for page, kind, name in names:
        if kind == "param":
            assert name in pages.get(page, ""), (page, name)
        elif kind == "event":
            assert "Pq %s, level" % name in pages.get(page, ""), (page, name)


def test_every_compatible_name_has_a_page(pages):
    table = (TREE / "src/tools/compat.def").read_text()
    names = re.findall(r'^COMPAT\("(\w+)"', table, re.M)
    assert "sendmail" in names
    for name in names:
        assert name + ".1" in pages


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.name)
def test_page_is_clean(source, tmp_path):
    """mandoc has nothing to say, but for pages that are not installed"""
    page = tmp_path / source.name[:-3]
    page.write_text(barid("doc", "page", source))
    done = subprocess.run([have("mandoc"), "-T", "lint", str(page)],
                          capture_output=True, text=True)
    found = [line for line in (done.stdout + done.stderr).splitlines()
             if "referenced manual not found" not in line
             and "mandoc.db" not in line]
    assert not found


def test_requirements_name_tests_that_exist():
    text = re.sub(r"\s+", " ", (TREE / "doc/requirements.md").read_text())
    cited = re.findall(r"((?:unit|system)/[\w/]+\.(?:c|py)): "
                       r"([a-z_0-9]+(?:, [a-z_0-9]+)*)", text)
    assert len(cited) > 60
    for path, list_of_names in cited:
        source = (TREE / "tests" / path).read_text()
        for name in list_of_names.split(", "):
            assert re.search(r"^(TEST\(%s\)|def %s\()" % (name, name),
                             source, re.M), (path, name)
