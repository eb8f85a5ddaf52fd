//! What a chat model makes of a question before it is searched for.

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    ChatModel, ChatRequest, Clock, Context, Error, ErrorKind, Message, Result, Role, Usage, timeout,
};
use futures_util::future::join;

use super::Retrieval;

/// How long one call may take; a search does not wait longer for a better wording.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest text that a model's answer is taken for, in characters.
const LONGEST: usize = 1_000;
/// How much of a conversation is shown: turns, and characters of each.
const TURNS: usize = 6;
const TURN_CHARS: usize = 1_500;

const REWRITE: &str = "You prepare questions for a search engine. Put the last question of the conversation so that it is understood \
without the conversation: replace pronouns and hints by what they stand for. Keep names, numbers, codes and the language. Do not answer it. \
If it is understood already, repeat it. Reply with the question alone.";
const VARIANTS: &str = "You prepare questions for a search engine. Write other wordings of the question, with other words for the same \
things. Keep names, numbers, codes and the language. Do not answer it. Reply with one wording on each line and nothing else.";
const HYDE: &str = "Write a short passage, at most 100 words, of a document that answers the question, in the question's language. \
Reply with the passage alone.";

/// The model that works on questions.
#[derive(Clone, Debug)]
pub(super) struct QueryModel {
    pub(super) chat: Arc<dyn ChatModel>,
    pub(super) model: String,
}

/// What is searched for.
#[derive(Debug, Default)]
pub(super) struct Queries {
    /// The question by itself, then its other wordings.
    pub(super) questions: Vec<String>,
    /// An invented answer.
    pub(super) passage: Option<String>,
    pub(super) usage: Usage,
}

/// The questions to search for. What the model fails at is left out and told.
pub(super) async fn queries(
    model: Option<&QueryModel>,
    clock: &dyn Clock,
    retrieval: &Retrieval,
    warnings: &mut Vec<String>,
) -> Queries {
    let work = retrieval.options.query;
    let mut question = retrieval.query.trim().to_owned();
    let mut queries = Queries::default();
    let Some(model) = model.filter(|_| work.is_any()) else {
        queries.questions.push(question);
        return queries;
    };
    let context = apart(&retrieval.context);
    let ask = |system: &'static str, text: String| {
        let request = ChatRequest::new(model.model.as_str())
            .system(system)
            .user(text)
            .temperature(0.0)
            .max_output_tokens(512)
            .with_context(context.clone());
        async {
            let answer = timeout(clock, PATIENCE, model.chat.chat(request)).await?;
            let text = answer.text().trim().to_owned();
            if text.is_empty() {
                return Err(Error::new(ErrorKind::BadUpstream, "the model said nothing"));
            }
            Ok((text, answer.usage.unwrap_or_default()))
        }
    };
    let mut take = |what: &str, usage: &mut Usage, answer: Result<(String, Usage)>| match answer {
        Ok((text, took)) => {
            *usage += took;
            Some(text)
        }
        Err(error) => {
            warnings.push(format!(
                "{what} failed, the question was searched for as it is: {error}"
            ));
            None
        }
    };
    if work.rewrite && !retrieval.history.is_empty() {
        let answer = ask(REWRITE, conversation(&retrieval.history, &question)).await;
        if let Some(line) = take("rewriting", &mut queries.usage, answer).and_then(|text| one_line(&text)) {
            question = line;
        }
    }
    let variants = async {
        if work.variants == 0 {
            return None;
        }
        let text = format!("Wordings: {}\nQuestion: {question}", work.variants);
        Some(ask(VARIANTS, text).await)
    };
    let hyde = async {
        if !work.hyde {
            return None;
        }
        Some(ask(HYDE, question.clone()).await)
    };
    let (variants, hyde) = join(variants, hyde).await;
    let variants = variants.and_then(|answer| take("finding other wordings", &mut queries.usage, answer));
    let hyde = hyde.and_then(|answer| take("inventing an answer", &mut queries.usage, answer));
    queries.passage = hyde.map(|text| cut(&text, LONGEST).to_owned());
    queries.questions.push(question);
    for line in variants.iter().flat_map(|text| text.lines()).filter_map(one_line) {
        if queries.questions.len() <= work.variants as usize && !queries.questions.contains(&line) {
            queries.questions.push(line);
        }
    }
    queries
}

/// The context of a call for the request's sake: the client's own key for caches and for calls that are made once is another call's.
pub(crate) fn apart(context: &Context) -> Context {
    let mut context = context.clone();
    context.cache.key = None;
    context.idempotency_key = None;
    context
}

fn conversation(history: &[Message], question: &str) -> String {
    let spoken = history
        .iter()
        .filter(|message| matches!(message.role, Role::User | Role::Assistant))
        .map(|message| (message.role, message.text()))
        .filter(|(_, text)| !text.trim().is_empty());
    let spoken: Vec<(Role, String)> = spoken.collect();
    let mut text = String::new();
    for (role, said) in spoken.iter().skip(spoken.len().saturating_sub(TURNS)) {
        let said = cut(said.trim(), TURN_CHARS);
        text.push_str(role.as_str());
        text.push_str(": ");
        text.push_str(said);
        text.push('\n');
    }
    text.push_str("last question: ");
    text.push_str(question);
    text
}

/// The first line that says something, without the marks that models put around it.
fn one_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let number = line.trim_start_matches(|char: char| char.is_ascii_digit());
    let line = match number.strip_prefix(['.', ')']) {
        Some(rest) if number.len() < line.len() && rest.starts_with(' ') => rest,
        _ => line
            .strip_prefix("- ")
            .or(line.strip_prefix("* "))
            .unwrap_or(line),
    };
    let line = line.trim().trim_matches(['"', '“', '”']).trim();
    (!line.is_empty()).then(|| cut(line, LONGEST).to_owned())
}

/// At most this many characters of a text.
pub(super) fn cut(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_without_their_marks() {
        for (line, wanted) in [
            ("1. how many days?", Some("how many days?")),
            ("2) how many days?", Some("how many days?")),
            ("- \"how many days?\"", Some("how many days?")),
            ("3.5 mm jack", Some("3.5 mm jack")),
            ("2024", Some("2024")),
            (" \n\n  x", Some("x")),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(one_line(line).as_deref(), wanted, "{line:?}");
        }
    }

    #[test]
    fn a_conversation_is_shown_from_its_end() {
        let mut history = vec![Message::from_text(Role::System, "secret rules")];
        history.extend(
            (0..9).map(|turn| Message::from_text(Role::User, format!("turn {turn} {}", "é".repeat(2_000)))),
        );
        let shown = conversation(&history, "and then?");
        assert!(!shown.contains("secret") && !shown.contains("turn 2 ") && shown.contains("turn 3 "));
        assert!(shown.ends_with("last question: and then?"));
        assert!(shown.chars().count() < TURNS * (TURN_CHARS + 20));
    }
}
