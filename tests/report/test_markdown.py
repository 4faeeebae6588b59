"""Tables of Markdown keep their shape, whatever their cells say."""

from textgroup.report.markdown import table


def test_a_table_has_a_line_a_row() -> None:
    assert table(("name", "score"), [("ours", "1.0")]) == "| name | score |\n| --- | --- |\n| ours | 1.0 |\n"


def test_names_cannot_break_a_table_or_bring_tags() -> None:
    last = table(("name",), [("a|b\n<script>",)]).splitlines()[2:]
    assert last == ["| a\\|b &lt;script&gt; |"]
