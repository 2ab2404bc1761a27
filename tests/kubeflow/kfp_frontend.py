"""What the pages of Kubeflow Pipelines show of a step's artifacts, and what they would show as an error.

The checks of frontend/src/components/viewers/MetricsVisualizations.tsx of kubeflow/pipelines, alike from 2.0.5 to
2.17.0.
"""

from typing import Any


def scalar_metrics(artifact: dict[str, Any]) -> dict[str, float]:
    """The rows of the table "Scalar Metrics"; there is no table without one."""
    assert artifact["type"]["schemaTitle"] == "system.Metrics"
    metrics: dict[str, float] = artifact["metadata"]
    # From 2.17 on the launcher may hand them on as numbers (FormatScalarMetricArtifacts in metadata/client.go).
    assert all(isinstance(value, float) for value in metrics.values())
    return metrics


def confusion_matrix(artifact: dict[str, Any]) -> tuple[list[str], list[list[float]]] | None:
    """Labels and counts of "Confusion Matrix"; None where the page passes the artifact over."""
    assert artifact["type"]["schemaTitle"] == "system.ClassificationMetrics"
    if "confusionMatrix" not in artifact["metadata"]:
        return None
    matrix = artifact["metadata"]["confusionMatrix"]["struct"]
    labels = [annotation["displayName"] for annotation in matrix["annotationSpecs"]]
    rows = [row["row"] for row in matrix["rows"]]
    assert all(isinstance(label, str) for label in labels)
    assert all(isinstance(cell, int | float) for row in rows for cell in row)
    assert len(labels) == len(rows)
    assert {len(row) for row in rows} == {len(rows)}
    return labels, rows
