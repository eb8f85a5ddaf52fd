"""The catalog's prices beside those of an independent table and calculator, genai-prices."""

import json
import subprocess
from pathlib import Path

from genai_prices import Usage, calc_price

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "edge-ai-providers/src/catalog/models.txt"

# Our names for vendors, and theirs.
VENDORS = {
    "anthropic": "anthropic",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gemini": "google",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "xai": "x-ai",
}

USAGES = [
    {"input_tokens": 1_000, "output_tokens": 500},
    # Longer than any threshold of a long context, and partly from a prompt cache.
    {"input_tokens": 300_000, "output_tokens": 1_000, "cache_read_tokens": 100_000},
    {"input_tokens": 5_000, "output_tokens": 10, "cache_write_tokens": 4_000},
]

# Where both tables know the vendor's current price: these agree to the nano-dollar.
SURE = [
    "anthropic/claude-haiku-4-5",
    "anthropic/claude-opus-5-5",
    "anthropic/claude-sonnet-5-5",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.5-pro",
    "openai/gpt-4.1-mini",
    "openai/gpt-4o-mini",
    "openai/gpt-5",
    "openai/gpt-5.4",
    "openai/gpt-6-luna",
]


def chat_models():
    lines = CATALOG.read_text().splitlines()
    rows = (line.split(" ") for line in lines if not line.startswith("#"))
    return [name.split("/", 1) for name, kind, *_ in rows if kind == "chat"]


def theirs(vendor, model, usage):
    """What it costs by the other table, in nano-dollars; nothing where it does not know the model."""
    if "cache_write_tokens" in usage and vendor != "anthropic":
        return None
    try:
        return round(calc_price(Usage(**usage), model, provider_id=VENDORS[vendor]).total_price * 10**9)
    except LookupError:
        return None


def ours(questions):
    quote = subprocess.run(
        ["cargo", "run", "--quiet", "--package", "edge-ai-providers", "--example", "quote"],
        input="".join(json.dumps(question) + "\n" for question in questions),
        capture_output=True,
        check=True,
        cwd=ROOT,
        text=True,
    )
    return [json.loads(line) for line in quote.stdout.splitlines()]


def test_prices_agree_with_an_independent_table():
    questions, expected = [], []
    for vendor, model in chat_models():
        for usage in USAGES if vendor in VENDORS else []:
            price = theirs(vendor, model, usage)
            if price is not None:
                questions.append([vendor, model, usage])
                expected.append(price)
    found = ours(questions)
    differing = [
        (question, theirs, ours) for question, theirs, ours in zip(questions, expected, found) if theirs != ours
    ]
    sure = [row for row in differing if f"{row[0][0]}/{row[0][1]}" in SURE]
    assert not sure
    compared = {f"{vendor}/{model}" for vendor, model, _ in questions}
    assert compared.issuperset(SURE), set(SURE) - compared
    # Where they differ, it is in what is known of a price, such as an alias that has moved or a time of day.
    assert len(differing) < len(questions) * 0.15, differing
