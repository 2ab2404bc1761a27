"""Hugging Face's Trainer on PyTorch: dynamic padding, batches of similar length. Runs in an environment of its own.

``python torch_trainer.py TEXTS.json BASE LABELS FOLDER`` prints rows a second by precision, as JSON.
"""

import json
import random
import statistics
import sys
import time

import torch
import transformers

BATCH = 16
REPEATS = 2


class EpochSeconds(transformers.TrainerCallback):
    """Keeps how long each epoch takes."""

    def __init__(self):
        self.seconds = []

    def on_epoch_begin(self, args, state, control, **kwargs):
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, args, state, control, **kwargs):
        """Stops it."""
        self.seconds.append(time.perf_counter() - self.started)


def main() -> None:
    """Trains in float32 and in bfloat16."""
    texts_file, base, labels, folder = sys.argv[1:]
    with open(texts_file, encoding="utf-8") as file:
        texts = json.load(file)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    chosen = random.Random(3)
    rows = [
        {**tokenizer(text, truncation=True, max_length=512), "labels": chosen.randrange(int(labels))} for text in texts
    ]
    speeds = {}
    for precision in ("float32", "bfloat16"):
        model = transformers.AutoModelForSequenceClassification.from_pretrained(base, num_labels=int(labels))
        options = {
            "output_dir": folder,
            "per_device_train_batch_size": BATCH,
            "num_train_epochs": 1 + REPEATS,
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "use_cpu": True,
            "bf16": precision == "bfloat16",
        }
        try:
            arguments = transformers.TrainingArguments(**options, group_by_length=True)
        except TypeError:  # transformers 5 has renamed it
            arguments = transformers.TrainingArguments(**options, train_sampling_strategy="group_by_length")
        clock = EpochSeconds()
        trainer = transformers.Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
            callbacks=[clock],
        )
        trainer.train()
        speeds[precision] = len(rows) / statistics.median(clock.seconds[1:])
    print(json.dumps(speeds))


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
