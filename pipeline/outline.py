"""The names of a pipeline's components, and where it keeps things; without an import of TFX."""

from __future__ import annotations

from dataclasses import dataclass

from fullbake.pipeline.config.config import Config
from fullbake.trainer.approaches import APPROACHES


@dataclass(frozen=True)
class Places:
    """Where a pipeline keeps things.

    Attributes:
        pipeline_root: TFX's artifacts.
        serving_dir: Pushed models.
        checkpoints: The last epoch of an interrupted training, or None to keep none.
        vectors: A frozen base's output for the last texts, or None to keep none.
    """

    pipeline_root: str
    serving_dir: str
    checkpoints: str | None
    vectors: str | None


def component_names(config: Config) -> list[str]:
    """Returns the names of the components of `pipeline.graph.create_components`, in the order in which data flows."""
    return [
        "CsvExampleGen",
        "StatisticsGen",
        "ConfigSchema",
        "ExampleValidator",
        "DataGate",
        "Transform",
        *(["Pretrainer"] if APPROACHES[config.model.approach].pretrains else []),
        *(["Tuner"] if config.tuning.learning_rates else []),
        "Trainer",
        "Evaluator",
        "ServableCheck",
        "Report",
        "Pusher",
    ]
