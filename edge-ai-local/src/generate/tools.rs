//! Which tools to call, and with what.

use std::collections::HashSet;

use super::hints::Hints;
use super::prompt::{Prompt, ToolCall, ToolChoice, ToolSpec};
use super::schema::{Optional, synthesize};
use super::text::{content_words, words};

/// Overlap below which no tool is called unasked: one word of its name, or two of its description.
const THRESHOLD: usize = 2;
const NAME_WORD: usize = 2;
const DESCRIPTION_WORD: usize = 1;
/// Calls made in one answer at most.
const PARALLEL: usize = 8;

/// Chooses the calls to answer with; none when the answer is to be text.
///
/// The tool whose name and description share most words with the question is called once per question; when
/// the question says "both", "each" or "parallel", once for every place, name or quoted string in it, or, if
/// there are not several, every tool that passes the threshold.
pub(crate) fn choose(prompt: &Prompt) -> Vec<ToolCall> {
    if prompt.tools.is_empty() || prompt.tool_choice == ToolChoice::None || !prompt.fresh_results().is_empty()
    {
        return Vec::new();
    }
    let question = prompt.question();
    let hints = Hints::new(&question, None);
    let ranked = rank(prompt, &question);
    let Some((best, _)) = ranked.first() else {
        return Vec::new();
    };
    if !(prompt.parallel_tool_calls && asks_for_several(&question)) {
        return vec![call(best, &hints)];
    }
    let subjects = [&hints.places, &hints.quoted, &hints.names]
        .into_iter()
        .find(|list| list.len() > 1);
    match subjects {
        Some(subjects) => subjects
            .iter()
            .take(PARALLEL)
            .map(|name| call(best, &hints.about(name)))
            .collect(),
        None => ranked
            .iter()
            .filter(|(_, score)| *score >= THRESHOLD)
            .take(PARALLEL)
            .map(|(tool, _)| call(tool, &hints))
            .collect::<Vec<_>>()
            .into_iter()
            .chain((ranked.first().is_some_and(|(_, score)| *score < THRESHOLD)).then(|| call(best, &hints)))
            .collect(),
    }
}

/// Tools that may be called, best first. Empty when none is wanted.
fn rank<'p>(prompt: &'p Prompt, question: &str) -> Vec<(&'p ToolSpec, usize)> {
    let asked: HashSet<String> = content_words(question).collect();
    let mut ranked: Vec<(&ToolSpec, usize)> = prompt
        .tools
        .iter()
        .map(|tool| (tool, overlap(tool, &asked)))
        .collect();
    match &prompt.tool_choice {
        ToolChoice::Named(name) => ranked.retain(|(tool, _)| tool.name == *name),
        ToolChoice::Required => {}
        ToolChoice::Auto | ToolChoice::None => ranked.retain(|(_, score)| *score >= THRESHOLD),
    }
    // A stable sort: among equals the tool declared first.
    ranked.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    ranked
}

fn overlap(tool: &ToolSpec, asked: &HashSet<String>) -> usize {
    let name: HashSet<String> = content_words(&split_camel_case(&tool.name)).collect();
    let description: HashSet<String> = content_words(&tool.description).collect();
    let in_name = name.intersection(asked).count();
    let in_description = description
        .difference(&name)
        .filter(|w| asked.contains(*w))
        .count();
    in_name * NAME_WORD + in_description * DESCRIPTION_WORD
}

fn call(tool: &ToolSpec, hints: &Hints) -> ToolCall {
    let mut arguments = synthesize(&tool.parameters, hints, Optional::WhenMentioned);
    if !arguments.is_object() {
        arguments = serde_json::json!({});
    }
    ToolCall {
        name: tool.name.clone(),
        arguments,
    }
}

fn asks_for_several(question: &str) -> bool {
    words(question).any(|word| matches!(word.as_str(), "both" | "each" | "parallel"))
}

fn split_camel_case(name: &str) -> String {
    let mut split = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_uppercase() {
            split.push(' ');
        }
        split.push(c);
    }
    split
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::prompt::{Role, Turn};
    use super::*;

    fn weather_and_mail() -> Vec<ToolSpec> {
        let tool = |name: &str, description: &str, key: &str| ToolSpec {
            name: name.into(),
            description: description.into(),
            parameters: json!({ "type": "object", "required": [key], "properties": { key: { "type": "string" } } }),
        };
        vec![
            tool("sendMail", "Sends a mail to somebody", "email"),
            tool("get_weather", "Current weather of a city", "city"),
        ]
    }

    fn ask(text: &str) -> Prompt {
        let tools = weather_and_mail();
        Prompt {
            turns: vec![Turn::user(text)],
            tools,
            parallel_tool_calls: true,
            ..Prompt::default()
        }
    }

    #[test]
    fn calls_the_tool_the_question_is_about() {
        let calls = choose(&ask("What's the weather in Paris?"));
        assert_eq!(
            calls,
            [ToolCall {
                name: "get_weather".into(),
                arguments: json!({ "city": "Paris" })
            }]
        );
        assert_eq!(
            choose(&ask("Please mail a@b.io"))[0].arguments,
            json!({ "email": "a@b.io" })
        );
        assert!(choose(&ask("Tell me a joke")).is_empty());
    }

    #[test]
    fn the_choice_is_obeyed() {
        let with = |choice| {
            choose(&Prompt {
                tool_choice: choice,
                ..ask("Weather in Paris?")
            })
        };
        assert!(with(ToolChoice::None).is_empty());
        assert_eq!(with(ToolChoice::Named("sendMail".into()))[0].name, "sendMail");
        let forced = Prompt {
            tool_choice: ToolChoice::Required,
            ..ask("Tell me a joke")
        };
        assert_eq!(choose(&forced).len(), 1);
    }

    #[test]
    fn several_places_make_parallel_calls() {
        let cities: Vec<_> = choose(&ask("Compare the weather in both Paris and Rome"))
            .into_iter()
            .map(|call| call.arguments["city"].clone())
            .collect();
        assert_eq!(cities, [json!("Paris"), json!("Rome")]);
        let single = Prompt {
            parallel_tool_calls: false,
            ..ask("weather in both Paris and Rome")
        };
        assert_eq!(choose(&single).len(), 1);
    }

    #[test]
    fn a_result_after_the_question_ends_the_calling() {
        let mut prompt = ask("Weather in Paris?");
        prompt.turns.push(Turn::new(Role::Assistant, ""));
        prompt.turns.push(Turn::new(Role::Tool, "21"));
        assert!(choose(&prompt).is_empty());
    }
}
