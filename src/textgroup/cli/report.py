"""`textgroup report`: a run or results as one page."""

from collections.abc import Sequence

from textgroup.cli.common import Parser, path
from textgroup.report.printable import printable


def report(words: Sequence[str]) -> None:
    """`textgroup report`."""
    parser = Parser(
        "textgroup report",
        description="One HTML file that needs no other: curves, monitors and warnings of a training run; tables with "
        "intervals and examples of what `textgroup evaluate --out` wrote.",
    )
    parser.add_argument("where", type=path, metavar="RUN_OR_RESULTS", help="directory of a run or of results")
    parser.add_argument("--out", type=path, required=True, metavar="FILE.html", help="the page to write")
    parser.add_argument("--caption", action="append", default=[], help="cut it by the run's checkpoint; repeat it")
    parser.add_argument("--seed", type=int, default=0, help="of the examples that are drawn (default: 0)")
    options = parser.parse_args(words)
    from textgroup.experiments.results_page import write_report

    sections = write_report(options.where, options.out, options.caption, options.seed)
    print(f"{printable(options.out)}: {sections} sections")
