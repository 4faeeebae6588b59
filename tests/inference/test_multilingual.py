"""The packaged model of four languages, on captions written for these tests."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import textgroup
from tests.strange import check_units
from textgroup.errors import InputError
from textgroup.inference.textgroup import TextGroup
from textgroup.model.pretrained import PACKAGED, PACKAGED_MULTILINGUAL
from textgroup.text.words import word_starts

CAPTIONS = {
    "en": """
        A man in a blue hat holds a flag.
        Two girls play with a brown dog on the beach.
        An old woman reads a newspaper at a bus stop.
        A cyclist rides down a steep hill in the rain.
        Three children are building a tower out of wooden blocks.
        A waiter carries four plates through a crowded room
        The cat on the windowsill watches a pigeon outside.
        A boy with wet hair jumps off a pier.
        Several people in orange vests clean up a park
        A nurse is helping a patient into a wheelchair.
        A black horse and a white pony graze behind a fence.
        A couple dances in the street while a band plays.
        Somebody has left a red umbrella on a bench.
        A carpenter's apprentice measures a board.
        A street market sells fruit, cheese and bread.
        A girl blows out the candles on her birthday cake.
        The train leaves the station at 10:30 a.m.
        A rusty boat lies upside down on the sand.
        Four musicians tune their instruments before a concert.
        A toddler in striped pyjamas hides under a table.
    """,
    "de": """
        Ein Mann mit einem blauen Hut hält eine Fahne.
        Zwei Mädchen spielen mit einem braunen Hund am Strand.
        Eine alte Frau liest an der Haltestelle eine Zeitung.
        Ein Radfahrer fährt im Regen einen steilen Hügel hinunter.
        Drei Kinder bauen einen Turm aus Holzklötzen.
        Ein Kellner trägt vier Teller durch einen vollen Raum
        Die Katze auf dem Fensterbrett beobachtet eine Taube.
        Ein Junge mit nassen Haaren springt von einem Steg.
        Mehrere Leute in orangefarbenen Westen räumen einen Park auf
        Eine Krankenschwester hilft einem Patienten in den Rollstuhl.
        Ein schwarzes Pferd und ein weißes Pony grasen hinter einem Zaun.
        Ein Paar tanzt auf der Straße, während eine Kapelle spielt.
        Jemand hat einen roten Schirm auf einer Bank liegen lassen.
        Der Lehrling des Schreiners misst ein Brett.
        Auf einem Markt gibt es Obst, Käse und Brot.
        Ein Mädchen bläst die Kerzen auf seinem Geburtstagskuchen aus.
        Der Zug verlässt den Bahnhof um 10:30 Uhr.
        Ein rostiges Boot liegt kopfüber im Sand.
        Vier Musiker stimmen vor dem Konzert ihre Instrumente.
        Ein Kleinkind im gestreiften Schlafanzug versteckt sich unter einem Tisch.
    """,
    "fr": """
        Un homme avec un chapeau bleu tient un drapeau.
        Deux filles jouent sur la plage avec un chien marron.
        Une vieille dame lit un journal à l'arrêt de bus.
        Un cycliste descend une colline raide sous la pluie.
        Trois enfants construisent une tour avec des cubes en bois.
        Un serveur porte quatre assiettes dans une salle pleine
        Le chat sur le rebord de la fenêtre regarde un pigeon.
        Un garçon aux cheveux mouillés saute d'une jetée.
        Plusieurs personnes en gilet orange nettoient un parc
        Une infirmière aide un patient à s'asseoir.
        Un cheval noir et un poney blanc broutent derrière une clôture.
        Un couple danse dans la rue pendant qu'un orchestre joue.
        Quelqu'un a oublié un parapluie rouge sur un banc.
        L'apprenti du menuisier mesure une planche.
        Un marché vend des fruits, du fromage et du pain.
        Une fillette souffle les bougies de son gâteau d'anniversaire.
        Le train quitte la gare à 10:30.
        Une barque rouillée est retournée sur le sable.
        Quatre musiciens accordent leurs instruments avant un concert.
        Un bambin en pyjama rayé se cache sous une table.
    """,
    "cs": """
        Muž v modrém klobouku drží vlajku.
        Dvě dívky si hrají na pláži s hnědým psem.
        Stará žena čte noviny na zastávce autobusu.
        Cyklista sjíždí v dešti z prudkého kopce.
        Tři děti staví věž z dřevěných kostek.
        Číšník nese čtyři talíře plnou místností
        Kočka na parapetu sleduje holuba za oknem.
        Chlapec s mokrými vlasy skáče z mola.
        Několik lidí v oranžových vestách uklízí park
        Zdravotní sestra pomáhá pacientovi na vozík.
        Černý kůň a bílý poník se pasou za plotem.
        Dvojice tančí na ulici, zatímco hraje kapela.
        Někdo nechal na lavičce červený deštník.
        Truhlářův učeň měří prkno.
        Na trhu se prodává ovoce, sýr a chléb.
        Dívka sfoukává svíčky na svém dortu.
        Vlak odjíždí z nádraží v 10:30.
        Rezavá loďka leží na písku dnem vzhůru.
        Čtyři hudebníci ladí před koncertem nástroje.
        Batole v pruhovaném pyžamu se schovává pod stolem.
    """,
}
PHRASES = {
    "en": {"A man", "a blue hat", "Two girls", "a brown dog", "the beach", "An old woman", "a newspaper"},
    "de": {
        "Ein Mann",
        "eine Fahne",
        "Zwei Mädchen",
        "Eine alte Frau",
        "eine Zeitung",
        "eine Taube",
        "einen roten Schirm",
    },
    "fr": {"Un homme", "un chapeau bleu", "un drapeau", "la plage", "un chien marron", "Une vieille dame", "un pigeon"},
    "cs": {"Dvě dívky", "Tři děti", "Stará žena", "Několik lidí"},
}
"""Noun phrases of the captions above, each of which should be a unit."""


def captions(language: str) -> list[str]:
    """The captions of a language."""
    return [line.strip() for line in CAPTIONS[language].strip().splitlines()]


@pytest.fixture(scope="module")
def model() -> TextGroup:
    return textgroup.load("multilingual")


@pytest.mark.parametrize("language", CAPTIONS)
def test_units_are_whole_words_in_order_and_phrases_are_units_that_name_something(
    model: TextGroup, language: str
) -> None:
    given = captions(language)
    assert len(given) == 20
    named, words = set(), 0
    cut = list(model.segment(given))
    for caption, units in zip(given, cut):
        check_units(caption, units)
        assert {unit.start for unit in units} <= word_starts(caption)
        assert len(units) > 1
        words += len(word_starts(caption))
        named |= {unit.text for unit in units if unit.groundable}
    assert 0.4 < sum(map(len, cut)) / words < 0.95
    assert named >= PHRASES[language]


@pytest.mark.parametrize(
    "units",
    [
        "Ein Mann | mit | einem blauen Hut",
        "Eine Frau | wartet | vor | dem alten Haus",
        "Muž | v | modrém klobouku | drží | vlajku",
        "Dvě dívky | s | červeným deštníkem",
        "un homme | court",
        "une femme | en | robe rouge | joue | au | tennis",
        "un chapeau orange",
        "une veste noire",
    ],
)
def test_verbs_and_prepositions_are_units_by_themselves_and_adjectives_are_not(model: TextGroup, units: str) -> None:
    """Nothing but translations told it of French verbs and of Czech prepositions (docs/experiments.md, 6.4)."""
    assert [unit.text for unit in model.segment(units.replace(" | ", " "))] == units.split(" | ")


@pytest.mark.parametrize("language", CAPTIONS)
def test_it_knows_most_words_of_its_languages(model: TextGroup, language: str) -> None:
    assert np.mean(model.unfamiliar(captions(language))) <= 0.1
    new_to_the_english_one = np.mean(textgroup.load().unfamiliar(captions(language)))
    assert new_to_the_english_one >= 0.8 if language != "en" else new_to_the_english_one <= 0.1


def test_what_needs_images_is_refused(model: TextGroup) -> None:
    with pytest.raises(InputError, match="encode_text: this checkpoint was trained on captions alone"):
        model.encode_text("un chien")


def test_a_directory_of_that_name_goes_first_and_a_folder_of_something_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "multilingual").symlink_to(PACKAGED)
    assert textgroup.load("multilingual").tokenizer.same(textgroup.load().tokenizer)
    (tmp_path / "multilingual").unlink()
    (tmp_path / "multilingual").mkdir()
    with pytest.raises(InputError, match=r"\./multilingual hides the packaged model of that name"):
        textgroup.load("multilingual")


def test_it_is_small_and_has_nothing_but_weights_words_and_its_card() -> None:
    files = {file.name: file.stat().st_size for file in PACKAGED_MULTILINGUAL.rglob("*")}
    assert set(files) == {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    assert sum(files.values()) <= 4_000_000


def test_a_wheel_has_its_files() -> None:
    root = Path(__file__).parents[2]
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns, package = settings["package-data"]["textgroup"], root / "src" / "textgroup"
    assert {file for pattern in patterns for file in package.glob(pattern)} >= set(PACKAGED_MULTILINGUAL.iterdir())
