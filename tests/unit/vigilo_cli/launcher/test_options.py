from __future__ import annotations

from pathlib import Path

import pytest

from vigilo_cli.launcher.options import Options, options_from
from vigilo_cli.launcher.problems import CannotStart


def test_nothing_set_gives_the_documented_defaults() -> None:
    assert options_from({}) == Options(Path(".vigilo"), 8080, 512, None, None)


def test_everything_can_be_set() -> None:
    environment = {
        "VIGILO_HOME": "/srv/vigilo",
        "VIGILO_PORT": "9000",
        "VIGILO_MIN_FREE_MB": "0",
        "VIGILO_KAFKA_BOOTSTRAP": "k:9092",
        "VIGILO_DATABASE_URL": "postgresql://db/x",
    }
    assert options_from(environment) == Options(Path("/srv/vigilo"), 9000, 0, "k:9092", "postgresql://db/x")


def test_an_empty_variable_counts_as_unset() -> None:
    assert options_from({"VIGILO_PORT": "", "VIGILO_KAFKA_BOOTSTRAP": ""}) == options_from({})


@pytest.mark.parametrize("text", ["-1", "lots", "1.5", "1e3"])
def test_a_size_that_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(CannotStart, match="VIGILO_MIN_FREE_MB"):
        options_from({"VIGILO_MIN_FREE_MB": text})


def test_an_address_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://db/x\n")
    assert options_from({"VIGILO_DATABASE_URL_FILE": str(file)}).database_url == "postgresql://db/x"
    with pytest.raises(CannotStart, match="VIGILO_DATABASE_URL_FILE: cannot read"):
        options_from({"VIGILO_DATABASE_URL_FILE": str(tmp_path / "none")})
