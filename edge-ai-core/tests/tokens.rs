//! The estimate of tokens beside a public tokenizer.

use edge_ai_core::estimate_tokens;

/// The samples, how many tokens of `o200k_base` each has, and how far the estimate may be off, in percent.
///
/// Counted with npm's `js-tiktoken` 1.0.21: `getEncoding("o200k_base").encode(readFileSync(file, "utf8")).length`.
const SAMPLES: [(&str, &str, u64, u64); 15] = [
    ("Markdown", include_str!("tokens/markdown.txt"), 1_097, 15),
    ("Rust", include_str!("tokens/rust.txt"), 1_130, 15),
    ("JavaScript", include_str!("tokens/javascript.txt"), 1_532, 15),
    ("JSON", include_str!("tokens/json.txt"), 934, 15),
    (
        "JSON full of hashes",
        include_str!("tokens/hashes.txt"),
        2_365,
        25,
    ),
    ("English", include_str!("tokens/english.txt"), 48, 15),
    ("German", include_str!("tokens/german.txt"), 53, 15),
    ("French", include_str!("tokens/french.txt"), 52, 15),
    ("Spanish", include_str!("tokens/spanish.txt"), 47, 15),
    ("Russian", include_str!("tokens/russian.txt"), 51, 20),
    ("Arabic", include_str!("tokens/arabic.txt"), 51, 15),
    ("Hindi", include_str!("tokens/hindi.txt"), 53, 25),
    ("Chinese", include_str!("tokens/chinese.txt"), 63, 15),
    ("Japanese", include_str!("tokens/japanese.txt"), 78, 15),
    ("Korean", include_str!("tokens/korean.txt"), 53, 15),
];

#[test]
fn the_estimate_is_near() {
    for (name, text, exact, within) in SAMPLES {
        let estimate = estimate_tokens(text);
        assert!(
            estimate.abs_diff(exact) * 100 <= exact * within,
            "{name}: {estimate} for {exact}"
        );
    }
}
