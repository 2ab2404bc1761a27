"""What TFMA counts of the answers that models' serving graphs give to raw examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apache_beam as beam
import tensorflow as tf
import tensorflow_model_analysis as tfma
import tensorflow_text  # noqa: F401  (the served graph holds its ops)
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.util import tfxio_utils
from tfx.types import artifact_utils
from tfx.utils import io_utils
from tfx_bsl.tfxio import tensor_adapter

from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.evaluation.judged_texts import IN_PRODUCTION, TextPlan, texts_evaluator
from fullbake.components.evaluation.measuring import metrics_spec
from fullbake.contract.names import EXAMPLES_SIGNATURE, LABEL, MASKED_LABEL, SLAB_ROWS, SLICE, TEST_SPLIT

CANDIDATE = "candidate"
"""The name of the model that is judged."""
BASELINE = "baseline"
"""The name of the one that it is compared with."""


def add_measuring(
    pipeline: beam.Pipeline,
    models: Mapping[str, str],
    gate: GateSpec,
    *,
    examples: list[types.Artifact],
    schema: schema_pb2.Schema,
    text_features: Sequence[str],
    baseline_labels: Sequence[str],
    output_folder: str,
    baseline_column: str = IN_PRODUCTION,
) -> None:
    """Adds to a pipeline the measuring of models on the test split.

    To the folder go TFMA's results, for `measuring.read_metrics`, and `mistakes.json` and `predictions.csv`; of two
    models `pairs.json`, too.

    Args:
        pipeline: The pipeline.
        models: By name, `CANDIDATE` and maybe `BASELINE`, the folder of a SavedModel; its path is no pattern.
        gate: The labels, and what is to be judged.
        examples: The artifact that has the split.
        schema: Of the examples.
        text_features: The features that hold texts.
        baseline_labels: The labels of the model that is compared with, in its own order; empty: there is none.
        output_folder: Where the results go.
        baseline_column: What its decisions are called in `predictions.csv`.
    """
    compared = BASELINE in models
    config = tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                # TFMA names no model where there is only one.
                name=name if compared else "",
                # Else TFMA loads the model with Keras first, to see whether it is one of its own.
                model_type=tfma.TF_GENERIC,
                signature_name=EXAMPLES_SIGNATURE,
                label_key=LABEL,
                is_baseline=name == BASELINE,
            )
            for name in models
        ],
        metrics_specs=[metrics_spec(gate, {BASELINE: baseline_labels})],
    )
    shared = [
        tfma.default_eval_shared_model(
            eval_saved_model_path=path, model_name=spec.name, eval_config=config, tags=[tf.saved_model.SERVING]
        )
        for path, spec in zip(models.values(), config.model_specs, strict=True)
    ]
    opened = shared if compared else shared[0]
    # What the schema does not name is not read, and so would count as known, or as in no slice.
    needed = {MASKED_LABEL} if gate.multi_label else set()
    needed |= {SLICE} if gate.sliced else set()
    if lacking := needed - {feature.name for feature in schema.feature}:
        raise RuntimeError(f"the schema does not name {', '.join(sorted(lacking))}")
    factory = tfxio_utils.get_tfxio_factory_from_artifact(
        examples=examples,
        telemetry_descriptors=["fullbake"],
        schema=schema,
        raw_record_column_name=tfma.ARROW_INPUT_COLUMN,
    )
    (split,) = artifact_utils.get_split_uris(examples, TEST_SPLIT)
    source = factory(io_utils.all_files_pattern(split))
    adapter = tensor_adapter.TensorAdapterConfig(
        arrow_schema=source.ArrowSchema(), tensor_representations=source.TensorRepresentations()
    )
    texts = TextPlan(
        labels=tuple(gate.labels),
        bounded=tuple(gate.min_recall),
        multi_label=gate.multi_label,
        text_features=tuple(text_features),
        model=CANDIDATE if compared else "",
        production=BASELINE if compared else "",
        production_column=baseline_column,
    )
    _ = (
        pipeline
        # Left to itself, Beam tunes the batches by the time they take, which varies with the texts; so it stays at a
        # dozen rows, and the graph has nothing to sort.
        | "ReadTestExamples" >> source.BeamSource(SLAB_ROWS)
        | "ExtractEvaluateAndWriteResults"
        >> tfma.ExtractEvaluateAndWriteResults(
            eval_shared_model=opened,
            eval_config=config,
            evaluators=[
                *tfma.default_evaluators(eval_shared_model=opened, eval_config=config),
                texts_evaluator(texts, output_folder),
            ],
            output_path=output_folder,
            tensor_adapter_config=adapter,
        )
    )
