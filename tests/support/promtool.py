"""Files for `promtool test rules`, made of what scrapes of a running operator saw, a minute apart; and what it says of them."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Series = tuple[str, tuple[tuple[str, str], ...]]
Scrape = Mapping[Series, float] | None
"""What one scrape saw; None where nothing answered."""

_TARGET = (("instance", "10.0.0.7:8080"), ("job", "clouddatamesh"))
"""What Prometheus adds to each series."""


@dataclass(frozen=True)
class Scenario:
    """Scrapes a minute apart, and which alerts fire at which minute, and no others."""

    name: str
    scrapes: Sequence[Scrape]
    firing: Mapping[int, frozenset[str]]


def judge(promtool: Path, rules: Path, scenarios: Sequence[Scenario], folder: Path) -> dict[str, str]:
    """What promtool has against each scenario; empty where it agrees."""
    files = {scenario.name: _write(scenario, rules, folder / f"{number}.yaml") for number, scenario in enumerate(scenarios)}
    command: list[str | Path] = [promtool, "test", "rules", *files.values()]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    parts = {path: part for part in said.split("Unit Testing:")[1:] for path in files.values() if part.strip().startswith(str(path))}
    assert len(parts) == len(files), said
    return {name: "" if "SUCCESS" in parts[path] else parts[path] for name, path in files.items()}


def _write(scenario: Scenario, rules: Path, path: Path) -> Path:
    expected = [
        {
            "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
        }
        for minute, names in scenario.firing.items()
    ]
    series = [{"series": _name(one), "values": _values(one, scenario.scrapes)} for one in _all_series(scenario.scrapes)]
    test = {"name": scenario.name, "interval": "1m", "input_series": series, "promql_expr_test": expected}
    content = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
    path.write_text(json.dumps(content))  # which is YAML, too
    return path


def _all_series(scrapes: Sequence[Scrape]) -> list[Series]:
    return sorted({one for scrape in scrapes for one in scrape or ()})


def _name(series: Series) -> str:
    name, labels = series
    return f"{name}{{{','.join(f'{label}={json.dumps(value)}' for label, value in (*labels, *_TARGET))}}}"


def _values(series: Series, scrapes: Sequence[Scrape]) -> str:
    """A series that a scrape does not bring any more is stale at once, as in Prometheus."""
    words, there = [], False
    for scrape in scrapes:
        value = (scrape or {}).get(series)
        words.append("stale" if value is None and there else "_" if value is None else f"{value:.17g}")
        there = value is not None
    return " ".join(words)
