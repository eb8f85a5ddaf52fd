//! List prices, as facts of 2026-11-24 from the table `model_prices_and_context_window.json` of LiteLLM 1.109.1 (MIT), and for Workers
//! AI's embedding and Llama 3.1 models from Cloudflare's pricing page. Prices by length of context or time of day are not in it.

use super::Price;

pub(super) const PRICES: &[(&str, &str, Price)] = &[
    (
        "anthropic",
        "claude-fable-5",
        Price::new(10_000_000, 50_000_000)
            .cache_read(1_000_000)
            .cache_write(12_500_000),
    ),
    (
        "anthropic",
        "claude-fable-5-1",
        Price::new(10_000_000, 50_000_000)
            .cache_read(250_000)
            .cache_write(12_500_000),
    ),
    (
        "anthropic",
        "claude-haiku-4-5",
        Price::new(1_000_000, 5_000_000)
            .cache_read(100_000)
            .cache_write(1_250_000),
    ),
    (
        "anthropic",
        "claude-haiku-5-5",
        Price::new(100_000, 500_000)
            .cache_read(10_000)
            .cache_write(125_000),
    ),
    (
        "anthropic",
        "claude-mythos-5",
        Price::new(10_000_000, 50_000_000)
            .cache_read(1_000_000)
            .cache_write(12_500_000),
    ),
    (
        "anthropic",
        "claude-mythos-5-1",
        Price::new(10_000_000, 50_000_000)
            .cache_read(250_000)
            .cache_write(12_500_000),
    ),
    (
        "anthropic",
        "claude-opus-4-5",
        Price::new(5_000_000, 25_000_000)
            .cache_read(500_000)
            .cache_write(6_250_000),
    ),
    (
        "anthropic",
        "claude-opus-4-6",
        Price::new(5_000_000, 25_000_000)
            .cache_read(500_000)
            .cache_write(6_250_000),
    ),
    (
        "anthropic",
        "claude-opus-4-7",
        Price::new(5_000_000, 25_000_000)
            .cache_read(500_000)
            .cache_write(6_250_000),
    ),
    (
        "anthropic",
        "claude-opus-4-8",
        Price::new(5_000_000, 25_000_000)
            .cache_read(500_000)
            .cache_write(6_250_000),
    ),
    (
        "anthropic",
        "claude-opus-5",
        Price::new(5_000_000, 25_000_000)
            .cache_read(500_000)
            .cache_write(6_250_000),
    ),
    (
        "anthropic",
        "claude-opus-5-5",
        Price::new(4_000_000, 20_000_000)
            .cache_read(200_000)
            .cache_write(5_000_000),
    ),
    (
        "anthropic",
        "claude-sonnet-4-5",
        Price::new(3_000_000, 15_000_000)
            .cache_read(300_000)
            .cache_write(3_750_000),
    ),
    (
        "anthropic",
        "claude-sonnet-4-6",
        Price::new(3_000_000, 15_000_000)
            .cache_read(300_000)
            .cache_write(3_750_000),
    ),
    (
        "anthropic",
        "claude-sonnet-5",
        Price::new(2_000_000, 10_000_000)
            .cache_read(200_000)
            .cache_write(2_500_000),
    ),
    (
        "anthropic",
        "claude-sonnet-5-5",
        Price::new(2_000_000, 10_000_000)
            .cache_read(100_000)
            .cache_write(2_500_000),
    ),
    (
        "openai",
        "gpt-4.1",
        Price::new(2_000_000, 8_000_000).cache_read(500_000),
    ),
    (
        "openai",
        "gpt-4.1-mini",
        Price::new(400_000, 1_600_000).cache_read(100_000),
    ),
    (
        "openai",
        "gpt-4.1-nano",
        Price::new(100_000, 400_000).cache_read(25_000),
    ),
    (
        "openai",
        "gpt-4o",
        Price::new(2_500_000, 10_000_000).cache_read(1_250_000),
    ),
    (
        "openai",
        "gpt-4o-mini",
        Price::new(150_000, 600_000).cache_read(75_000),
    ),
    (
        "openai",
        "gpt-5",
        Price::new(1_250_000, 10_000_000).cache_read(125_000),
    ),
    (
        "openai",
        "gpt-5-mini",
        Price::new(250_000, 2_000_000).cache_read(25_000),
    ),
    (
        "openai",
        "gpt-5-nano",
        Price::new(50_000, 400_000).cache_read(5_000),
    ),
    (
        "openai",
        "gpt-5.1",
        Price::new(1_250_000, 10_000_000).cache_read(125_000),
    ),
    (
        "openai",
        "gpt-5.2",
        Price::new(1_750_000, 14_000_000).cache_read(175_000),
    ),
    (
        "openai",
        "gpt-5.4",
        Price::new(2_500_000, 15_000_000).cache_read(250_000),
    ),
    (
        "openai",
        "gpt-5.4-mini",
        Price::new(750_000, 4_500_000).cache_read(75_000),
    ),
    (
        "openai",
        "gpt-5.4-nano",
        Price::new(200_000, 1_250_000).cache_read(20_000),
    ),
    (
        "openai",
        "gpt-5.5",
        Price::new(5_000_000, 30_000_000).cache_read(500_000),
    ),
    (
        "openai",
        "gpt-5.6",
        Price::new(4_000_000, 20_000_000)
            .cache_read(400_000)
            .cache_write(5_000_000),
    ),
    (
        "openai",
        "gpt-5.6-luna",
        Price::new(200_000, 1_200_000)
            .cache_read(20_000)
            .cache_write(250_000),
    ),
    (
        "openai",
        "gpt-5.6-sol",
        Price::new(4_000_000, 20_000_000)
            .cache_read(400_000)
            .cache_write(5_000_000),
    ),
    (
        "openai",
        "gpt-5.6-terra",
        Price::new(2_000_000, 12_000_000)
            .cache_read(200_000)
            .cache_write(2_500_000),
    ),
    (
        "openai",
        "gpt-6-astra",
        Price::new(10_000_000, 50_000_000)
            .cache_read(1_000_000)
            .cache_write(12_500_000),
    ),
    (
        "openai",
        "gpt-6-luna",
        Price::new(100_000, 500_000)
            .cache_read(10_000)
            .cache_write(125_000),
    ),
    (
        "openai",
        "gpt-6-sol",
        Price::new(2_000_000, 10_000_000)
            .cache_read(200_000)
            .cache_write(2_500_000),
    ),
    (
        "openai",
        "gpt-6.1-sol",
        Price::new(2_000_000, 10_000_000)
            .cache_read(100_000)
            .cache_write(2_500_000),
    ),
    (
        "openai",
        "gpt-6.1-terra",
        Price::new(1_000_000, 5_000_000)
            .cache_read(50_000)
            .cache_write(1_250_000),
    ),
    (
        "openai",
        "o3",
        Price::new(2_000_000, 8_000_000).cache_read(500_000),
    ),
    (
        "openai",
        "o3-mini",
        Price::new(1_100_000, 4_400_000).cache_read(550_000),
    ),
    (
        "openai",
        "o4-mini",
        Price::new(1_100_000, 4_400_000).cache_read(275_000),
    ),
    ("openai", "text-embedding-3-large", Price::new(130_000, 0)),
    ("openai", "text-embedding-3-small", Price::new(20_000, 0)),
    ("openai", "text-embedding-ada-002", Price::new(100_000, 0)),
    (
        "workers-ai",
        "@cf/aisingapore/gemma-sea-lion-v4-27b-it",
        Price::new(351_000, 555_000),
    ),
    ("workers-ai", "@cf/baai/bge-base-en-v1.5", Price::new(67_000, 0)),
    ("workers-ai", "@cf/baai/bge-large-en-v1.5", Price::new(204_000, 0)),
    ("workers-ai", "@cf/baai/bge-small-en-v1.5", Price::new(20_000, 0)),
    (
        "workers-ai",
        "@cf/deepseek-ai/deepseek-r1-distill-qwen-32b",
        Price::new(497_000, 4_881_000),
    ),
    (
        "workers-ai",
        "@cf/google/gemma-4-26b-a4b-it",
        Price::new(100_000, 300_000),
    ),
    (
        "workers-ai",
        "@cf/ibm-granite/granite-4.0-h-micro",
        Price::new(17_000, 112_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.1-8b-instruct",
        Price::new(282_000, 827_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.1-8b-instruct-fp8",
        Price::new(152_000, 287_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.1-8b-instruct-fp8-fast",
        Price::new(45_000, 384_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.2-11b-vision-instruct",
        Price::new(48_500, 676_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.2-1b-instruct",
        Price::new(27_000, 201_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.2-3b-instruct",
        Price::new(50_900, 335_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
        Price::new(293_000, 2_253_000),
    ),
    (
        "workers-ai",
        "@cf/meta/llama-4-scout-17b-16e-instruct",
        Price::new(270_000, 850_000),
    ),
    (
        "workers-ai",
        "@cf/mistralai/mistral-small-3.1-24b-instruct",
        Price::new(351_000, 555_000),
    ),
    (
        "workers-ai",
        "@cf/moonshotai/kimi-k2.6",
        Price::new(950_000, 4_000_000).cache_read(160_000),
    ),
    (
        "workers-ai",
        "@cf/moonshotai/kimi-k2.7-code",
        Price::new(950_000, 4_000_000).cache_read(190_000),
    ),
    (
        "workers-ai",
        "@cf/nvidia/nemotron-3-120b-a12b",
        Price::new(500_000, 1_500_000),
    ),
    (
        "workers-ai",
        "@cf/openai/gpt-oss-120b",
        Price::new(350_000, 750_000),
    ),
    (
        "workers-ai",
        "@cf/openai/gpt-oss-20b",
        Price::new(200_000, 300_000),
    ),
    (
        "workers-ai",
        "@cf/qwen/qwen2.5-coder-32b-instruct",
        Price::new(660_000, 1_000_000),
    ),
    (
        "workers-ai",
        "@cf/qwen/qwen3-30b-a3b-fp8",
        Price::new(50_900, 335_000),
    ),
    ("workers-ai", "@cf/qwen/qwq-32b", Price::new(660_000, 1_000_000)),
    (
        "workers-ai",
        "@cf/zai-org/glm-4.7-flash",
        Price::new(60_500, 400_000),
    ),
    (
        "workers-ai",
        "@cf/zai-org/glm-5.2",
        Price::new(1_400_000, 4_400_000).cache_read(260_000),
    ),
];
