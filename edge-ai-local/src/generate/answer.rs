//! Extractive answers: the sentences of the conversation that share most with the question, quoted.

use std::collections::{HashMap, HashSet};

use super::prompt::{Prompt, Role, Turn};
use super::text::{content_words, sentences, shorten};

/// Sentences quoted at most.
const QUOTED: usize = 2;
/// A further sentence is quoted only when it scores this share of the best one.
const SECOND_SHARE: f32 = 0.75;
/// Characters of a tool's result or of a question that an answer repeats.
const REPEATED: usize = 400;

/// Answers in text.
pub(crate) fn answer(prompt: &Prompt) -> String {
    let results = prompt.fresh_results();
    if !results.is_empty() {
        return from_results(results);
    }
    let whole = prompt.question();
    let (question, own_context) = split_question(&whole);
    let mut text = match extract(&question, &candidates(prompt, &own_context)) {
        Some(quoted) => quoted,
        None if whole.trim().is_empty() => "edge-ai-local heard no question.".to_owned(),
        None => format!(
            "edge-ai-local has no context to answer from. You said: {}",
            shorten(&question, REPEATED)
        ),
    };
    let media: Vec<&str> = prompt
        .last_user()
        .iter()
        .flat_map(|turn| &turn.media)
        .map(|media| media.described.as_str())
        .collect();
    if !media.is_empty() {
        text.push_str(&format!(" Received: {}.", media.join(", ")));
    }
    text
}

/// The thinking shown before an answer.
pub(crate) fn reasoning(prompt: &Prompt) -> String {
    let question = prompt.question();
    let topics: Vec<String> = content_words(&question).take(6).collect();
    let about = if topics.is_empty() {
        "nothing in particular".to_owned()
    } else {
        topics.join(", ")
    };
    format!("The question is about {about}. I look for sentences of the conversation that share these words.")
}

fn from_results(results: &[Turn]) -> String {
    let parts: Vec<String> = results
        .iter()
        .map(|turn| {
            let name = turn.tool_name.as_deref().unwrap_or("the tool");
            format!("According to {name}: {}", shorten(turn.text.trim(), REPEATED))
        })
        .collect();
    parts.join("\n")
}

/// Parts a message into its question and the context it brings along: the question is its last sentence
/// with a question mark, else its last sentence.
fn split_question(text: &str) -> (String, Vec<Passage>) {
    let all = sentences(text);
    let Some(at) = all
        .iter()
        .rposition(|s| s.ends_with(['?', '？']))
        .or(all.len().checked_sub(1))
    else {
        return (text.trim().to_owned(), Vec::new());
    };
    let question = all.get(at).copied().unwrap_or_default();
    let context = passages(text)
        .into_iter()
        .filter(|passage| passage.text != question)
        .collect();
    (question.to_owned(), context)
}

/// A sentence, and the citation mark of the block that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Passage {
    text: String,
    mark: Option<String>,
}

/// Sentences of a text; a line that opens with `[3]` marks all sentences down to the next mark or empty line.
fn passages(text: &str) -> Vec<Passage> {
    let mut mark = None;
    let mut passages = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() {
            mark = None;
        }
        let body = match citation(line) {
            Some((found, rest)) => {
                mark = Some(found.to_owned());
                rest
            }
            None => line,
        };
        passages.extend(sentences(body).into_iter().map(|s| Passage {
            text: s.to_owned(),
            mark: mark.clone(),
        }));
    }
    passages
}

fn citation(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('[')?;
    let (number, rest) = inner.split_once(']')?;
    let is_mark = !number.is_empty() && number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit());
    is_mark.then_some((number, rest))
}

fn candidates(prompt: &Prompt, own_context: &[Passage]) -> Vec<Passage> {
    let last_user = prompt.turns.iter().rposition(|turn| turn.role == Role::User);
    // What the stand-in said before mostly repeats questions: quoting it would answer with an echo.
    let earlier = prompt
        .turns
        .iter()
        .enumerate()
        .filter(|(at, turn)| Some(*at) != last_user && turn.role != Role::Assistant)
        .flat_map(|(_, turn)| passages(&turn.text));
    own_context.iter().cloned().chain(earlier).collect()
}

fn extract(question: &str, candidates: &[Passage]) -> Option<String> {
    let asked: HashSet<String> = content_words(question).collect();
    let spread = document_frequency(candidates, &asked);
    let mut scored: Vec<(f32, usize)> = candidates
        .iter()
        .enumerate()
        .filter(|(_, passage)| !passage.text.ends_with('?'))
        .map(|(at, passage)| (score(&passage.text, &asked, &spread), at))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = scored.first()?.0;
    let mut chosen: Vec<usize> = scored
        .iter()
        .take(QUOTED)
        .filter(|(score, _)| *score >= best * SECOND_SHARE)
        .map(|(_, at)| *at)
        .collect();
    chosen.sort_unstable();
    let quoted: Vec<String> = chosen
        .iter()
        .filter_map(|at| candidates.get(*at))
        .map(quote)
        .collect();
    Some(quoted.join(" "))
}

fn quote(passage: &Passage) -> String {
    match &passage.mark {
        Some(mark) => format!("{} [{mark}]", passage.text),
        None => passage.text.clone(),
    }
}

fn document_frequency(candidates: &[Passage], asked: &HashSet<String>) -> HashMap<String, usize> {
    let mut spread = HashMap::new();
    for passage in candidates {
        let words: HashSet<String> = content_words(&passage.text)
            .filter(|w| asked.contains(w))
            .collect();
        for word in words {
            *spread.entry(word).or_insert(0) += 1;
        }
    }
    spread
}

/// Sum over the shared words of their rarity, damped by the sentence's length.
fn score(sentence: &str, asked: &HashSet<String>, spread: &HashMap<String, usize>) -> f32 {
    let mut length = 0_usize;
    let mut shared = HashSet::new();
    for word in content_words(sentence) {
        length += 1;
        if asked.contains(&word) {
            shared.insert(word);
        }
    }
    let gained: f32 = shared
        .iter()
        .map(|w| 1.0 / (spread.get(w).copied().unwrap_or(1) as f32).sqrt())
        .sum();
    gained / (1.0 + length as f32 / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(turns: Vec<Turn>) -> String {
        answer(&Prompt {
            turns,
            ..Prompt::default()
        })
    }

    #[test]
    fn quotes_the_context_with_its_citation() {
        let message = "Context:\n[1] Parcels leave on Monday. We pack by hand.\n[2] Refunds take five days.\n\n\
                       Question: how long does a refund take?";
        assert_eq!(with(vec![Turn::user(message)]), "Refunds take five days. [2]");
    }

    #[test]
    fn remembers_what_the_user_said_before() {
        let turns = vec![
            Turn::user("My name is Ada. I live in London."),
            Turn::new(Role::Assistant, "You said: my name"),
            Turn::user("What is my name?"),
        ];
        assert_eq!(with(turns), "My name is Ada.");
    }

    #[test]
    fn without_context_it_says_so_and_repeats_the_question() {
        let text = with(vec![
            Turn::new(Role::System, "You are helpful."),
            Turn::user("What is the capital of France?"),
        ]);
        assert!(text.contains("no context") && text.ends_with("What is the capital of France?"));
    }

    #[test]
    fn quotes_tool_results() {
        let mut result = Turn::new(Role::Tool, "{\"celsius\":21}");
        result.tool_name = Some("get_weather".into());
        let text = with(vec![
            Turn::user("Weather in Paris?"),
            Turn::new(Role::Assistant, ""),
            result,
        ]);
        assert_eq!(text, "According to get_weather: {\"celsius\":21}");
    }
}
