"""The spelling and the words of the source, the tests, the examples and the documentation."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("sgsolve", "tests", "examples", "benchmarks", "docs")
FILES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*"))]
    if path.suffix in (".py", ".md")
    and path not in (Path(__file__), ROOT / "CHANGELOG.md")
    and not {"_build", "gallery", "_static"} & set(path.relative_to(ROOT).parts)
)

# Stems of verbs that end in -ize, and other words that Britain spells differently.
STEMS = (
    "factor|regular|discret|minim|maxim|normal|linear|initial|optim|recogn|organ|summar|general|"
    "symmetr|parametr|parameter|special|stabil|visual|util|real|vector|serial|local|character|"
    "emphas|neutral|ideal|equilibr|categor|quant|homogen|diagonal|orthogonal|polar|penal"
)
BRITISH = re.compile(
    rf"(?<![a-z])(?:re|de|un|non)?(?:{STEMS})is(?:e|ed|es|er|ing|ation|ations|able)(?![a-z])"
    r"|(?<![a-z])(?:(?:be)?behaviour|colour|neighbour|favour|vapour|centre|fibre|modell(?:ed|ing)|"
    r"labell(?:ed|ing)|cancell(?:ed|ing)(?!error)|analys(?:e|ed|er|ing)(?![a-z])|licence|artefact|"
    r"catalogue|judgement|whilst|grey(?![a-z]))",
    re.IGNORECASE,
)


def test_spelling_is_american():
    found = [
        f"{path.relative_to(ROOT)}:{k}: {word}"
        for path in FILES
        for k, line in enumerate(path.read_text().splitlines(), 1)
        for word in BRITISH.findall(line)
    ]
    assert found == []


def test_the_patterns_find_british_words_only():
    for word in ("factorisation", "Regularised", "neighbours", "centre", "analyse", "modelled"):
        assert BRITISH.search(word), word
    for word in ("promise", "analysis", "raised", "factorization", "cancellation", "precise"):
        assert not BRITISH.search(word), word


# Words of earlier versions, for which the field has a term; they are in the glossary.
COINED = re.compile(
    r"\b(?:ladders?|rungs?|turning[ -]points?|hand(?:s|ed)? back|in silence|gives? up|front door|"
    r"to the last bit|starts? cold|one idea)\b",
    re.IGNORECASE,
)
PROSE = [p for p in FILES if not p.is_relative_to(ROOT / "tests")]


def test_terms_are_those_of_the_field():
    found = []
    for path in PROSE:
        text = " ".join(path.read_text().split())  # a term may be broken over two lines
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in COINED.finditer(text)]
    assert found == []


def test_no_module_opens_with_one_idea():
    opened = [p for p in FILES if p.suffix == ".py" and "One idea:" in p.read_text()[:3000]]
    assert not opened
