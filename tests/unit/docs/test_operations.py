"""What the page for operators lists is what the code has: no more and no less."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from config.settings import Settings
from handlers.letters import Reason
from receiver.dead_letters.advice import ADVICE, Advice
from receiver.http import errors
from receiver.kafka.topics import wanted_topics
from receiver.observability.alarms import TICKETS
from tests.support.metrics import exported
from tests.unit.docs.pages import OPERATIONS, ROOT, first_column


def alarm_codes() -> set[str]:
    """Return the codes of all alarms, from the calls that sound them."""
    return {code for path in (ROOT / "receiver").rglob("*.py") for code in _sounded(path)}


def _sounded(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".sound"):
            looped = _looped_over(node.args[1], tree)
            if looped is None:
                yield _code(node.args[1], tree, path)
            else:
                yield from getattr(_module(path), looped)


def _looped_over(given: ast.expr, tree: ast.Module) -> str | None:
    """Return the name of what a loop takes the code from, None if no loop gives it."""
    loops = (node for node in ast.walk(tree) if isinstance(node, ast.For))
    over = (loop.iter for loop in loops if ast.unparse(loop.target) == ast.unparse(given))
    return next((each.id for each in over if isinstance(each, ast.Name)), None)


def _module(path: Path) -> ModuleType:
    return importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


def _code(given: ast.expr, tree: ast.Module, path: Path) -> str:
    """Return an alarm's code as the page writes it: what varies is named in angle brackets."""
    if isinstance(given, ast.Constant):
        return str(given.value)
    if isinstance(given, ast.JoinedStr):
        return "".join(
            f"<{ast.unparse(part.value).split('.')[-1]}>"
            if isinstance(part, ast.FormattedValue)
            else ast.literal_eval(part)
            for part in given.values
        )
    if isinstance(given, ast.Name):
        return str(getattr(_module(path), given.id))
    [assigned] = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(given)
    ]
    return _code(assigned, tree, path)


def test_every_alarm_is_explained() -> None:
    """The table of alarms has the code of each alarm that the service can sound."""
    assert sorted(first_column(OPERATIONS, "Alarms")) == sorted(alarm_codes())


def test_what_to_page_on_is_what_the_program_says() -> None:
    """The alarms that the page leaves for a ticket are those of the status, and there are such."""
    found = re.search(r'code!~"([^"]+)"', OPERATIONS.read_text("utf-8"))
    assert found is not None
    assert set(found[1].split("|")) == TICKETS
    assert alarm_codes() > TICKETS


def test_every_dead_letter_reason_is_explained() -> None:
    """The table of dead letters has every reason."""
    assert sorted(first_column(OPERATIONS, "Dead letters")) == sorted(Reason)


def test_the_advice_about_dead_letters_is_one_and_the_same() -> None:
    """The table says of each reason what the program says."""
    rows = _rows("Dead letters")
    told = {Reason(word): Advice(means, what_to_do) for word, means, what_to_do in rows}
    plain = {
        reason: Advice(_plain(advice.means), _plain(advice.what_to_do))
        for reason, advice in ADVICE.items()
    }
    assert told == plain


def _rows(heading: str) -> Iterator[list[str]]:
    """Yield the plain cells of each row of the table under a heading."""
    _, _, below = OPERATIONS.read_text("utf-8").partition(f"\n## {heading}\n")
    section = re.split(r"^## ", below, maxsplit=1, flags=re.MULTILINE)[0]
    for row in re.findall(r"^\| (`[^`]+` \|.*) \|$", section, re.MULTILINE):
        yield [_plain(cell) for cell in row.split(" | ")]


def _plain(text: str) -> str:
    """Return the text as people read it, without quotes and links."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text).replace("`", "")


async def test_every_metric_is_listed_with_its_labels() -> None:
    """The table of metrics has each one that a process with all roles, or several, exposes."""
    rows = re.findall(
        r"^\| `(\w+)` \| ([\w, ]*?) ?\| ", OPERATIONS.read_text("utf-8"), re.MULTILINE
    )
    listed = dict(rows)
    assert sorted(first_column(OPERATIONS, "Metrics")) == sorted(exported())
    for name, labels in exported().items():
        assert listed[name] == ", ".join(labels), name


def _refusals() -> Iterator[tuple[str, str]]:
    """Yield code and status of every error of the admin API, from the calls that make them."""
    yield from ((code, str(status)) for status, code in errors.CODES.items())
    apis = [ROOT / "receiver" / folder for folder in ("http", "workers")]
    for path in (path for api in apis for path in api.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Refused", "_error"}:
                status, code = node.args[:2]
                if isinstance(status, ast.Constant) and isinstance(code, ast.Constant):
                    yield str(code.value), str(status.value)


def test_every_error_of_the_admin_api_is_explained() -> None:
    """The table of errors has each code, with its status."""
    text = OPERATIONS.read_text("utf-8")
    section = text.partition("\n| code | status | the request |\n")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| `([^`]+)` \| (\d+|any other 4xx)", section, re.MULTILINE))
    assert told == {**dict(_refusals()), errors.OTHERWISE: "any other 4xx"}


def test_every_topic_is_listed() -> None:
    """The table of topics has each one with its cleanup policy."""
    text = OPERATIONS.read_text("utf-8")
    specs = wanted_topics(Settings())
    assert sorted(first_column(OPERATIONS, "Topics")) == sorted(spec.name for spec in specs)
    for spec in specs:
        assert f"| `{spec.name}` | {spec.config['cleanup.policy']} |" in text


@pytest.mark.parametrize("heading", ["Alarms", "Dead letters", "Metrics", "Topics"])
def test_there_are_rows_to_check(heading: str) -> None:
    """The tables were found."""
    assert first_column(OPERATIONS, heading)
