"""Wires the alerter: `python -m services.alerter.app`."""

from __future__ import annotations

from services.alerter.configuration import Configuration
from services.alerter.decide import Alerter
from services.alerter.rejudging import Rejudging
from services.alerter.settings import AlerterSettings
from services.alerter.transitions import ALERTS
from vigilo.adapters.settings import read
from vigilo.adapters.streams.process import run_processor


def main() -> None:
    """Runs until SIGTERM."""
    settings = read(AlerterSettings)
    configuration = Configuration()
    run_processor(
        Alerter(configuration.current),
        settings,
        output_topics=(ALERTS,),
        broadcasts=configuration.readers,
        on_ready=Rejudging(configuration).on_ready,
    )


if __name__ == "__main__":
    main()
