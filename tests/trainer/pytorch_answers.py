"""What PyTorch makes of exported folders. Runs in an environment of its own, with PyTorch and without TensorFlow.

`python pytorch_answers.py JOBS.json ANSWERS.json`: for each job, a dict, its answer.
"""

import json
import sys

import torch
from transformers import AutoModelForMaskedLM, pipeline


def classified(folder: str, rows: list) -> dict:
    """Hugging Face's pipeline: of each row, the score of each label; rows alone, and four at once."""
    classify = pipeline("text-classification", model=folder, framework="pt", top_k=None)
    answers = [classify(rows, truncation=True, batch_size=size) for size in (1, 4)]
    return [[{found["label"]: found["score"] for found in row} for row in answer] for answer in answers]


def by_the_docs(snippet: str, version: str, rows: list) -> list:
    """The code that the documentation gives for our own heads."""
    names: dict = {}
    exec(snippet.replace("runs/comments/serving/<version>", version), names)  # noqa: S102
    columns = [list(column) for column in zip(*rows, strict=True)] if isinstance(rows[0], list) else [rows]
    return names["probabilities"](*columns).tolist()


def filled(folder: str, ids: list) -> list:
    """A masked LM's logits."""
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(torch.tensor(ids)).logits.tolist()


def main() -> None:
    """Does the jobs."""
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    does = {"classified": classified, "by_the_docs": by_the_docs, "filled": filled}
    answers = [does[job.pop("do")](**job) for job in jobs]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
