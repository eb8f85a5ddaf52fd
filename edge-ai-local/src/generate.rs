//! The one generator behind every dialect: a [`Prompt`] in, a [`Completion`] out, no clock and no randomness.

pub(crate) mod answer;
pub(crate) mod embedding;
pub(crate) mod hints;
pub(crate) mod schema;
pub(crate) mod text;
pub(crate) mod tokens;
pub(crate) mod tools;

mod prompt;

pub(crate) use prompt::{Format, Media, Prompt, Role, ToolCall, ToolChoice, ToolSpec, Turn};

use serde_json::json;

/// How well a text answers a query, from 0 to 1: the likeness of the two, spread as a reranker's scores are.
pub(crate) fn relevance(query: &str, text: &str) -> f32 {
    1.0 / (1.0 + (-12.0 * (embedding::similarity(query, text) - 0.4)).exp())
}

/// Why a completion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    StopSequence(String),
    Length,
    ToolCalls,
}

/// Tokens read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) input: usize,
    /// Everything written, reasoning included.
    pub(crate) output: usize,
    pub(crate) reasoning: usize,
}

/// What the generator answered; a dialect only encodes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Completion {
    pub(crate) reasoning: Option<String>,
    pub(crate) text: String,
    pub(crate) tool_calls: Vec<ToolCall>,
    pub(crate) finish: Finish,
    pub(crate) usage: Usage,
}

/// Answers a prompt.
pub(crate) fn complete(prompt: &Prompt) -> Completion {
    let reasoning = prompt.reasoning.then(|| answer::reasoning(prompt));
    let reasoning_tokens = reasoning.as_deref().map_or(0, tokens::count);
    let calls = tools::choose(prompt);
    let (text, finish, tool_calls) = if calls.is_empty() {
        let budget = prompt.max_tokens.map(|max| max.saturating_sub(reasoning_tokens));
        let (text, finish) = cut_short(written(prompt), &prompt.stop, budget);
        (text, finish, Vec::new())
    } else {
        (String::new(), Finish::ToolCalls, calls)
    };
    let call_tokens: usize = tool_calls
        .iter()
        .map(|call| tokens::count(&call.name) + tokens::count(&call.arguments.to_string()))
        .sum();
    let usage = Usage {
        input: prompt.tokens(),
        output: reasoning_tokens + tokens::count(&text) + call_tokens,
        reasoning: reasoning_tokens,
    };
    Completion {
        reasoning,
        text,
        tool_calls,
        finish,
        usage,
    }
}

fn written(prompt: &Prompt) -> String {
    match &prompt.format {
        Format::Text => answer::answer(prompt),
        Format::JsonObject => json!({ "answer": answer::answer(prompt) }).to_string(),
        Format::JsonSchema(schema) => {
            let hints = hints::Hints::new(&prompt.question(), Some(answer::answer(prompt)));
            schema::synthesize(schema, &hints, schema::Optional::Always).to_string()
        }
    }
}

fn cut_short(text: String, stop: &[String], max_tokens: Option<usize>) -> (String, Finish) {
    let stopped = stop
        .iter()
        .filter(|mark| !mark.is_empty())
        .filter_map(|mark| text.find(mark.as_str()).map(|at| (at, mark)))
        .min_by_key(|(at, _)| *at);
    let (text, finish) = match stopped {
        Some((at, mark)) => (text[..at].to_owned(), Finish::StopSequence(mark.clone())),
        None => (text, Finish::Stop),
    };
    match max_tokens {
        Some(max) if tokens::count(&text) > max => (
            tokens::pieces(&text).into_iter().take(max).collect(),
            Finish::Length,
        ),
        _ => (text, finish),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Prompt {
        Prompt {
            turns: vec![Turn::user(text)],
            ..Prompt::default()
        }
    }

    #[test]
    fn the_token_limit_and_stop_sequences_are_kept() {
        let whole = complete(&ask("What is a token bucket?"));
        assert_eq!(whole.finish, Finish::Stop);
        let short = complete(&Prompt {
            max_tokens: Some(3),
            ..ask("What is a token bucket?")
        });
        assert_eq!((short.finish, short.usage.output), (Finish::Length, 3));
        assert!(whole.text.starts_with(&short.text));
        let stopped = complete(&Prompt {
            stop: vec!["token".into()],
            ..ask("What is a token bucket?")
        });
        assert_eq!(stopped.finish, Finish::StopSequence("token".into()));
        assert!(!stopped.text.contains("token"));
    }

    #[test]
    fn structured_answers_follow_the_schema() {
        let schema = json!({ "type": "object", "required": ["name", "age"],
            "properties": { "name": { "type": "string" }, "age": { "type": "integer" } } });
        let done = complete(&Prompt {
            format: Format::JsonSchema(schema),
            ..ask("Ada is 36 years old.")
        });
        let value: serde_json::Value = serde_json::from_str(&done.text).unwrap();
        assert_eq!(value, json!({ "name": "Ada", "age": 36 }));
    }

    #[test]
    fn reasoning_counts_as_output() {
        let done = complete(&Prompt {
            reasoning: true,
            ..ask("Why is the sky blue?")
        });
        assert!(done.usage.reasoning > 0);
        assert_eq!(
            done.usage.output,
            done.usage.reasoning + tokens::count(&done.text)
        );
    }
}
