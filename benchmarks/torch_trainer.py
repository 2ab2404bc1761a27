"""Hugging Face's Trainer on PyTorch: dynamic padding, batches of similar length. Runs in an environment of its own.

`python torch_trainer.py TEXTS.json BASE LABELS FOLDER PRECISION STEPS` prints rows a second of the last of so many
steps; with 0 steps those of whole epochs. One precision to a process: Accelerate keeps the first.
"""

import json
import random
import statistics
import sys
import time

import torch
import transformers

BATCH = 16
EPOCHS = 3  # the first does not count


class StepSeconds(transformers.TrainerCallback):
    """Keeps how long each epoch and each step takes."""

    def __init__(self):
        self.epochs = []
        self.steps = []

    def on_epoch_begin(self, args, state, control, **kwargs):
        """Starts the clock of an epoch."""
        self.epoch_started = time.perf_counter()

    def on_epoch_end(self, args, state, control, **kwargs):
        """Stops it."""
        self.epochs.append(time.perf_counter() - self.epoch_started)

    def on_step_begin(self, args, state, control, **kwargs):
        """Starts the clock of a step."""
        self.step_started = time.perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        """Stops it."""
        self.steps.append(time.perf_counter() - self.step_started)


def main() -> None:
    """Trains, and prints the figure."""
    texts_file, base, labels, folder, precision, steps = sys.argv[1:]
    with open(texts_file, encoding="utf-8") as file:
        texts = json.load(file)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    chosen = random.Random(3)
    rows = [
        {**tokenizer(text, truncation=True, max_length=512), "labels": chosen.randrange(int(labels))} for text in texts
    ]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base, num_labels=int(labels))
    options = {
        "output_dir": folder,
        "per_device_train_batch_size": BATCH,
        "num_train_epochs": EPOCHS,
        "max_steps": int(steps) or -1,
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
    clock = StepSeconds()
    transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        callbacks=[clock],
    ).train()
    print(BATCH / clock.steps[-1] if int(steps) else len(rows) / statistics.median(clock.epochs[1:]))


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
