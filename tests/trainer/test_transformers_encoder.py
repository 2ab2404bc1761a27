"""The seam between the trainer and the library that pre-trained encoders come from."""

import ast
from collections.abc import Iterator
from pathlib import Path

PRODUCT = ("trainer", "components", "pipeline", "kubeflow", "command_line", "contract")
ROOT = Path(__file__).parents[2]


def imported_from_transformers(file: Path) -> Iterator[str]:
    """The names that a module imports from transformers; a `*` stands for the whole of it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "transformers":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ("*" for alias in node.names if alias.name.partition(".")[0] == "transformers")


def test_one_module_names_the_models_of_transformers_and_one_its_tokenizers():
    files = (file for floor in PRODUCT for file in (ROOT / floor).rglob("*.py"))
    found = {str(file.relative_to(ROOT)): set(imported_from_transformers(file)) for file in files}
    names = {file: imported for file, imported in found.items() if imported}
    # The third knows the layers of one model, which it adjusts.
    layers = names.pop("trainer/encoder/deberta.py")
    assert all(name.startswith("TFDebertaV2") and not name.endswith("Model") for name in layers)
    # And the fourth has transformers convert a tokenizer.
    assert names.pop("trainer/encoder/fast_tokenizer.py") == {"AutoTokenizer"}
    assert set(names) == {"trainer/encoder/transformers_encoder.py", "trainer/encoder/tokenizer.py"}
    assert {name for name in names["trainer/encoder/transformers_encoder.py"] if name.startswith("TF")} == {
        "TFAutoModel",
        "TFAutoModelForMaskedLM",
        "TFAutoModelForSequenceClassification",
        "TFPreTrainedModel",
    }
    assert names["trainer/encoder/tokenizer.py"] == {"AutoTokenizer", "PreTrainedTokenizerBase"}
