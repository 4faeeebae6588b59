"""The rows of the tables: their names, and the paper's figures beside them."""

import pytest

from textgroup.config.command_line import SHIPPED
from textgroup.evaluation.phrases import report as phrases
from textgroup.evaluation.ranking import report as ranking
from textgroup.experiments.reproduce.systems import CLUSTERINGS, ENCODER, ROLES, TRIVIAL, System
from textgroup.experiments.reproduce.tables import TABLES, rows_for


def test_a_name_is_taken_apart() -> None:
    assert System.parse("fixed/no_contrastive/k2") == System("fixed", ("no_contrastive", "k2"), False)
    assert System.parse("recipe@oracle") == System("recipe", (), True)


def test_only_rows_that_see_the_encoders_images_wait_for_it() -> None:
    waiting = {"fixed": True, "fixed/k2": True, "fixed@oracle": False, "fixed/no_contrastive/k2": False}
    assert {name: System.parse(name).needs_encoder for name in waiting} == waiting


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_can_be_made(name: str) -> None:
    for row in TABLES[name].rows:
        if row in (*CLUSTERINGS, *TRIVIAL, ENCODER):
            continue
        system = System.parse(row)
        assert system.role in ROLES
        assert all((SHIPPED / "variants" / f"{variant}.yaml").is_file() for variant in system.variants)


def test_tables_and_figures_share_their_rows() -> None:
    rows = rows_for(["table1", "table3", "figure2"])
    assert len(rows) == len(set(rows))
    assert {"groupvit", "kmeans:4", "recipe"} <= set(rows)


def test_the_papers_figures_are_those_of_the_evaluation_commands() -> None:
    printed = {name: figures for name, *figures in phrases.PAPER}
    table3, table5 = TABLES["table3"].paper, TABLES["table5"].paper
    assert list(table3["ours, K = 4"]) == printed["Table 3, text group transformer, K=4"]
    assert list(table3["random (untrained)"]) == printed["Table 3, random (untrained)"]
    assert list(table3["baseline, k-means"]) == printed["Table 3, baseline, k-means"]
    assert list(table3["baseline, spectral clustering"]) == printed["Table 3, baseline, spectral clustering"]
    assert list(table3["baseline, mean shift"]) == printed["Table 3, baseline, mean shift"]
    for groups in (1, 2, 4, 8, 16):
        assert [table5[f"K = {groups}"][0]] == printed[f"Table 5, K={groups}"]
    table4 = TABLES["table4"].paper
    assert [table4["without contrastive loss"][0]] == printed["Table 4, without contrastive loss"]
    assert [table4["without reconstruction loss"][0]] == printed["Table 4, without reconstruction loss"]
    for place, category in enumerate(("subject", "verb", "object", "overall")):
        of_category = ranking.PAPER["svo", "ranking", category]
        rows = ("groupvit", "baseline", "ours, K = 4")
        assert tuple(TABLES["table1"].paper[row][place] for row in rows) == of_category
    assert tuple(TABLES["table2"].paper[row][0] for row in rows) == ranking.PAPER["foil", "ranking", "foil"]
