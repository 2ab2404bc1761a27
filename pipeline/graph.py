"""The graph of components: one page, in the order in which data flows."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tfx.components import ExampleValidator, StatisticsGen, Trainer, Transform, Tuner
from tfx.dsl.components.base.base_node import BaseNode
from tfx.proto import trainer_pb2, transform_pb2

from fullbake.components.data.data_folders import CORPUS_BASE, IN_CACHE_KEYS, INPUT_BASE, TEST_BASE
from fullbake.components.evaluation.gate import needed_test_rows
from fullbake.components.model_card.facts import CardSettings
from fullbake.components.nodes.config_schema import ConfigSchema
from fullbake.components.nodes.data_gate import DataGate
from fullbake.components.nodes.evaluator import Evaluator
from fullbake.components.nodes.example_gen import CsvExampleGen
from fullbake.components.nodes.pusher import Pusher
from fullbake.components.nodes.report import Report
from fullbake.components.nodes.servable_check import ServableCheck
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.names import CORPUS_SPLIT, EVAL_SPLIT, TEXT_PAIR, TRAIN_SPLIT
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.gate_spec import gate_spec
from fullbake.pipeline.outline import Places
from fullbake.trainer.approaches import APPROACHES
from fullbake.trainer.encoder.base_model import MODEL_BASE, is_folder_name
from fullbake.trainer.spec import PretrainingSpec, TrainingSpec

# Where a config says which base model and which data; what they are is not said by their names.
_INPUTS = (
    ("data", "input_base"),
    ("data", "test_base"),
    ("pretraining", "corpus_base"),
    ("model", "base"),
    ("model", "revision"),
)


def recipe(config: Config, base_hash: str | None) -> str:
    """Returns a fingerprint of everything but the data that decides which model a run makes and how it is judged.

    The places of base and data are not in it: their contents may change there, and stay the same in another place.

    Args:
        config: What to run.
        base_hash: Of the base model (see `trainer.encoder.base_model.hash_base`). ExampleGen's fingerprint is that of
            the data.
    """
    deciding = {"data", "model", "training", "tuning", "gate"}
    if APPROACHES[config.model.approach].pretrains:
        deciding.add("pretraining")
    # Whether to go on without a comparison is asked for one run, and decides nothing about the model.
    parts = config.model_dump(mode="json", include=deciding, exclude={"gate": {"accept_baseline_loss"}})
    for section, key in _INPUTS:
        parts.get(section, {}).pop(key, None)
    parts["base_hash"] = base_hash
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def input_locations(config: Config, base: Path | None) -> dict[str, str]:
    """Returns the places of the inputs, by the names that the components know them by (see `trainer.locations`).

    Args:
        config: What to run.
        base: The folder of the base model; None where no component is run that opens it.
    """
    folders = {
        IN_CACHE_KEYS[INPUT_BASE]: config.data.input_base,
        IN_CACHE_KEYS[TEST_BASE]: config.data.test_base,
        IN_CACHE_KEYS[CORPUS_BASE]: config.pretraining.corpus_base,
    }
    located = {
        name: folder if "://" in folder else os.path.abspath(folder) for name, folder in folders.items() if folder
    }
    if base is not None:
        located[_base_name(config)] = os.path.abspath(base)
    return located


def _base_name(config: Config) -> str:
    return MODEL_BASE if is_folder_name(config.model.base) else config.model.base


def create_components(
    config: Config, places: Places, baseline_key: str, base_hash: str | None = None
) -> list[BaseNode]:
    """Makes the components, in the order in which data flows.

    They know their inputs by name, not by place, and must run inside `trainer.locations.located`, which
    knows the places.

    Args:
        config: What to run.
        places: Where things are kept.
        baseline_key: What the new model is judged against (see `components.serving.making.baseline_key`).
        base_hash: Of the base model (see `trainer.encoder.base_model.hash_base`); a component that finds other files
            there stops. None: they are not looked at.
    """
    data, model, training = config.data, config.model, config.training
    pretrains = APPROACHES[model.approach].pretrains
    has_corpus = pretrains and config.pretraining.corpus_base is not None
    corpus = [CORPUS_SPLIT] if has_corpus else []
    gate = gate_spec(config)
    example_gen = CsvExampleGen(
        input_base=IN_CACHE_KEYS[INPUT_BASE],
        pattern=data.pattern,
        row_format=config.row_format,
        split=data.split,
        on_bad_row=data.on_bad_row,
        max_bad_fraction=data.max_bad_fraction,
        on_duplicate=data.on_duplicate,
        on_conflict=data.on_conflict,
        test_base=None if data.test_base is None else IN_CACHE_KEYS[TEST_BASE],
        corpus_base=IN_CACHE_KEYS[CORPUS_BASE] if has_corpus else None,
        window=data.window,
        label_from=data.label_from,
        labels_file=data.labels_file,
        test_labels_file=data.test_labels_file,
        needed_test_rows=needed_test_rows(gate),
    )
    examples = example_gen.outputs["examples"]
    # A corpus has no labels; ExampleGen has seen to its texts.
    # Sketches, because the exact count of the most frequent values keeps every text in memory: 3 GB of a million.
    statistics_gen = StatisticsGen(
        examples=examples,
        stats_options=tfdv.StatsOptions(use_sketch_based_topk_uniques=True),
        exclude_splits=corpus,
    )
    schema_gen = ConfigSchema(
        labels=json.dumps(list(data.labels)),
        text_pair=int(TEXT_PAIR in data.text_columns),
        multi_label=int(data.multi_label),
        sliced=int(gate.sliced),
    )
    schema = schema_gen.outputs["schema"]
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema, exclude_splits=corpus
    )
    base: dict[str, Any] = {
        "base": _base_name(config),
        "revision": None,  # it is found already, and its hash says which it is
        "base_hash": base_hash,
    }
    tokenizer = TokenizerSpec(**base, max_length=model.max_length, truncation=model.truncation, windows=model.windows)
    data_gate = DataGate(
        examples=examples,
        anomalies=example_validator.outputs["anomalies"],
        gate=json.dumps(asdict(gate)),
        text_features=json.dumps(list(data.text_columns)),
        serving_dir=places.serving_dir,
        baseline_key=baseline_key,
        tokenizer=json.dumps(tokenizer.to_dict()),
        **{
            name: bound
            for name in ("max_label_drift", "max_length_drift")
            if (bound := getattr(data, name)) is not None
        },
    )
    transform = Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="fullbake.components.nodes.preprocessing.preprocessing_fn",
        custom_config={
            **tokenizer.to_dict(),
            "labels": list(data.labels),
            "multi_label": data.multi_label,
        },
        # The test split stays raw: the Evaluator hands it to the serving graph.
        splits_config=transform_pb2.SplitsConfig(analyze=[TRAIN_SPLIT], transform=[TRAIN_SPLIT, EVAL_SPLIT, *corpus]),
        disable_statistics=True,
    )
    transform.add_upstream_node(data_gate)
    tokens = {
        "examples": transform.outputs["transformed_examples"],
        "transform_graph": transform.outputs["transform_graph"],
        "eval_args": trainer_pb2.EvalArgs(splits=[EVAL_SPLIT]),
    }
    placement: dict[str, Any] = {
        "seed": training.seed,
        "mixed_precision": training.mixed_precision,
        "distribution": training.distribution,
        "checkpoints": places.checkpoints,
    }
    pretrainer = None
    if pretrains:
        pretraining_spec = PretrainingSpec(
            **base, **config.pretraining.model_dump(exclude={"corpus_base"}), **placement, windows=model.windows
        )
        pretrainer = Trainer(
            run_fn="fullbake.trainer.pretrain.run_fn",
            train_args=trainer_pb2.TrainArgs(splits=[TRAIN_SPLIT, *corpus]),
            custom_config={"spec": pretraining_spec.to_dict()},
            **tokens,
        ).with_id("Pretrainer")
        tokens["base_model"] = pretrainer.outputs["model"]
    spec = TrainingSpec(
        **base,
        **training.model_dump(exclude={"learning_rate", *placement}),
        **placement,
        approach=model.approach,
        head=config.head,
        pooling=model.pooling,
        windows=model.windows,
        labels=data.labels,
        learning_rate=config.learning_rate,
        text_columns=data.text_columns,
        reading=config.reading.to_dict(),
        vectors=places.vectors,
        decision_threshold=config.gate.decision_threshold,
        calibrate=config.gate.calibrate,
        threshold_min_recall=dict(config.gate.min_recall) if config.gate.decision_threshold == "auto" else {},
        task_name=gate.task,
    )
    tokens["train_args"] = trainer_pb2.TrainArgs(splits=[TRAIN_SPLIT])
    tuner = None
    if config.tuning.learning_rates:
        tuner = Tuner(
            tuner_fn="fullbake.trainer.tune.tuner_fn",
            custom_config={"spec": spec.to_dict(), "learning_rates": list(config.tuning.learning_rates)},
            **tokens,
        )
    trainer = Trainer(
        run_fn="fullbake.trainer.fine_tune.run_fn",
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        custom_config={"spec": spec.to_dict()},
        **tokens,
    )
    evaluator = Evaluator(
        examples=examples,
        schema=schema,
        model=trainer.outputs["model"],
        gate=gate,
        serving_dir=places.serving_dir,
        baseline_key=baseline_key,
    )
    servable_check = ServableCheck(model=trainer.outputs["model"])
    servable_check.add_upstream_node(evaluator)
    optional = {}
    if pretrainer:
        optional["pretraining_run"] = pretrainer.outputs["model_run"]
    if tuner:
        optional["tuner_results"] = tuner.outputs["tuner_results"]
    report = Report(
        examples=examples,
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        title=config.name,
        config=config.to_yaml(),
        tokenizer=json.dumps(tokenizer.to_dict()),
        show_texts=int(config.report.show_texts),
        **optional,
    )
    pusher = Pusher(
        evaluation=evaluator.outputs["evaluation"],
        examples=examples,
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=servable_check.outputs["blessing"],
        serving_dir=places.serving_dir,
        recipe=recipe(config, base_hash),
        baseline_key=baseline_key,
        card=CardSettings(
            config.name, model.max_length, model.truncation, model.windows, training.model_dump(mode="json")
        ),
        keep_versions=config.push.keep_versions,
        bounds=gate.bounds,
    )
    return [
        example_gen,
        statistics_gen,
        schema_gen,
        example_validator,
        data_gate,
        transform,
        *([pretrainer] if pretrainer else []),
        *([tuner] if tuner else []),
        trainer,
        evaluator,
        servable_check,
        report,
        pusher,
    ]
