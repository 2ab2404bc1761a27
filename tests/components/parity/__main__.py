"""`python -m tests.components.parity [KIND ...]`: tokenizers in the graph against Hugging Face's, exhaustively.

Each kind is compared over Unicode scalar values in each context, 100,000 random strings, every text of the real data
sets where these are there, long words, white space, bytes that are not UTF-8, and special tokens that users type.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.components.parity.exhaustive import compare_kind, take_one_thread
from tests.components.parity.kinds import KINDS

_PROCESSES = 2


def main(names: list[str]) -> int:
    """Compares kinds and says how much differs; 1 where anything does, 2 where a kind is not known."""
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(KINDS)}", file=sys.stderr)
        return 2
    # One thread in each: the processes share the cores by kinds.
    os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", TF_CPP_MIN_LOG_LEVEL="3")
    failures = 0
    # Those with every value first, so that neither process is left alone with one at the end.
    chosen = sorted(names or KINDS, key=lambda name: -KINDS[name].every_value)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, mp_context=context, initializer=take_one_thread) as pool:
        for lines, found in pool.map(compare_kind, chosen):
            print("\n".join(lines), flush=True)
            failures += found
    print(f"{failures} differences" if failures else f"{len(chosen)} kinds, no difference")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
