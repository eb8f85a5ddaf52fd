//! What a semantic cache answers, and what it answers wrongly: `cargo xtask bench semantic`.

use std::collections::BTreeMap;
use std::path::Path;

use edge_ai_cache::{SemanticCache, difference};
use edge_ai_local::SentenceModel;
use serde::Deserialize;

const HARD: &str = include_str!("../data/semantic-hard-negatives.txt");

const THRESHOLDS: [f32; 4] = [0.8, SemanticCache::THRESHOLD, 0.9, 0.95];

#[derive(Deserialize)]
struct Pair {
    origin: String,
    similar: String,
}

/// The result as Markdown, of a model's directory and the file of paraphrases.
pub(crate) fn table(model: &Path, paraphrases: &Path) -> Result<String, String> {
    let model = SentenceModel::load(model)?;
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", paraphrases.display());
    let bytes = std::fs::read(paraphrases).map_err(|error| told(&error))?;
    let pairs: Vec<Pair> = serde_json::from_slice(&bytes).map_err(|error| told(&error))?;
    let origins: Vec<&str> = pairs.iter().map(|pair| pair.origin.as_str()).collect();
    let similar: Vec<&str> = pairs.iter().map(|pair| pair.similar.as_str()).collect();
    let (kept, asked) = (model.embed(&origins)?, model.embed(&similar)?);

    let mut text = format!(
        "{} paraphrases, every second one held out: words were added to the guard's tables while looking at the other half alone, after 45 pairs of both had been read for their style. The questions are \
         asked of a cache that has all {} originals; `own` is a hit on the question's original, `other` on another original. The set has many \
         originals that say the same, which GPTCache counts as wrong too. `pairs` is the share of all {} pairs of a question and another original that \
         would be taken for each other.\n\n| threshold | guard | own, tuned half | own, held out | other, tuned half | other, held out | pairs |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
        pairs.len(),
        pairs.len(),
        pairs.len() * (pairs.len() - 1),
    );
    // Of every question the originals that are near at the lowest threshold, nearest first, and whether the guard lets them through.
    let near: Vec<Vec<(f32, usize, bool)>> = similar
        .iter()
        .zip(&asked)
        .map(|(question, vector)| {
            let scores = kept.iter().map(|other| cosine(vector, other));
            let near = scores
                .zip(&origins)
                .enumerate()
                .filter(|(_, (score, _))| *score >= THRESHOLDS[0]);
            let mut near: Vec<_> = near
                .map(|(at, (score, origin))| (score, at, difference(question, origin).is_none()))
                .collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0));
            near
        })
        .collect();
    for threshold in THRESHOLDS {
        for guarded in [false, true] {
            let mut counts = [[0_usize; 2]; 2];
            let mut taken = 0_usize;
            let passes = |(score, _, same): &&(f32, usize, bool)| *score >= threshold && (*same || !guarded);
            for (at, near) in near.iter().enumerate() {
                if let Some((_, found, _)) = near.iter().take(5).find(passes)
                    && let Some(count) = counts
                        .get_mut(usize::from(*found != at))
                        .and_then(|half| half.get_mut(at % 2))
                {
                    *count += 1;
                }
                taken += near
                    .iter()
                    .filter(passes)
                    .filter(|(_, other, _)| *other != at)
                    .count();
            }
            let half = |which: usize| (pairs.len() + 1 - which) / 2;
            let share = |count: usize, of: usize| format!("{:.1} %", 100.0 * count as f64 / of as f64);
            let [[own, own_held], [other, other_held]] = counts;
            text.push_str(&format!(
                "| {threshold} | {} | {} | {} | {} | {} | {:.4} % |\n",
                if guarded { "yes" } else { "no" },
                share(own, half(0)),
                share(own_held, half(1)),
                share(other, half(0)),
                share(other_held, half(1)),
                100.0 * taken as f64 / (pairs.len() * (pairs.len() - 1)) as f64,
            ));
        }
    }
    text.push_str(&hard(&model)?);
    text.push_str(
        "\nGPTCache's own table of the same set, of 999 (hit, wrong, miss; \
         <https://github.com/zilliztech/GPTCache/tree/main/examples/benchmark>): threshold 0.95: 425, 25, 549; 0.9: 804, 77, 118; 0.8: 904, 92, 3. It has no \
         figures for hard negatives.\n",
    );
    Ok(text)
}

/// What is taken for the same among pairs that never mean the same.
fn hard(model: &SentenceModel) -> Result<String, String> {
    let mut classes: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    let mut class = "";
    for line in HARD
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => class = name,
            None => classes
                .entry(class)
                .or_default()
                .push((side(line, 0), side(line, 1))),
        }
    }
    let mut text = String::from(
        "\nPairs that never mean the same, by what differs (`benches/data`), taken for the same at the threshold of 0.85. They and the guard's tables are of one hand, so that zero here is no promise for other pairs:\n\n| class | pairs | mean cosine | by \
         the vectors alone | with the guard |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut totals = (0, 0, 0);
    for (class, pairs) in &classes {
        let left: Vec<&str> = pairs.iter().map(|(a, _)| a.as_str()).collect();
        let right: Vec<&str> = pairs.iter().map(|(_, b)| b.as_str()).collect();
        let (left, right) = (model.embed(&left)?, model.embed(&right)?);
        let scores: Vec<f32> = left.iter().zip(&right).map(|(a, b)| cosine(a, b)).collect();
        let near = |score: &f32| *score >= SemanticCache::THRESHOLD;
        let alone = scores.iter().filter(|score| near(score)).count();
        let both = scores
            .iter()
            .zip(pairs)
            .filter(|(score, (a, b))| near(score) && difference(a, b).is_none())
            .count();
        totals = (totals.0 + pairs.len(), totals.1 + alone, totals.2 + both);
        let mean = scores.iter().sum::<f32>() / scores.len().max(1) as f32;
        text.push_str(&format!(
            "| {class} | {} | {mean:.3} | {alone} | {both} |\n",
            pairs.len()
        ));
    }
    text.push_str(&format!(
        "| all | {} | | {} | {} |\n",
        totals.0, totals.1, totals.2
    ));
    Ok(text)
}

/// One reading of `How do I turn {on|off} the light?`.
fn side(line: &str, which: usize) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (choice, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(choice.split('|').nth(which).unwrap_or_default());
        rest = after;
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
