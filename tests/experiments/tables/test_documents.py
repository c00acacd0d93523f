"""Documents with generated tables: a mistake is one line, and no document is half new."""

from typed import exit_code

from resemote_edge.experiments.tables.command import tables

TABLE = "<!-- table: {} -->\n<!-- end of table -->\n"


def test_a_missing_report_leaves_all_documents_as_they_were(tmp_path, capsys):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    (tmp_path / "devices.toml").write_text('[[device]]\nname = "A board"\n')
    good.write_text(TABLE.format("devices.toml"))
    bad.write_text(TABLE.format("nothing/report.json"))
    assert exit_code(tables, good, bad) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ")
    assert "nothing/report.json" in captured.err
    assert good.read_text() == TABLE.format("devices.toml")
    assert exit_code(tables, good) == 0
    assert "| A board | not measured |" in good.read_text()
