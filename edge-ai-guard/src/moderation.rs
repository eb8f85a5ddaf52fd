use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{ChatModel, ChatRequest, Context, Error, ErrorKind, Message, Result, Role};

use crate::guard::{Finding, Guard, Passage, Phase, Source, View};

/// Has a safety model judge the conversation: Llama Guard 3, whose categories are MLCommons' hazards `S1` to `S13`, and `S14`.
///
/// Without a [model](Self::with_model) of its own it asks the one that is guarded, by name: behind a gateway, any model of any provider, such as
/// `workers-ai/@cf/meta/llama-guard-3-8b`. What it asks carries the tenant and the deadline of the request, and leaves no trace in its trail.
/// The last 24,000 bytes of the conversation are judged.
///
/// The form of its answers: <https://huggingface.co/meta-llama/Llama-Guard-3-8B>.
#[derive(Clone, Debug)]
pub struct Moderation {
    name: String,
    model: Option<Arc<dyn ChatModel>>,
    categories: Vec<String>,
}

/// How much of a conversation is judged, in bytes.
const MAX_JUDGED: usize = 24_000;

/// The categories by number.
const CATEGORIES: [&str; 14] = [
    "violent_crimes",
    "non_violent_crimes",
    "sex_crimes",
    "child_exploitation",
    "defamation",
    "specialized_advice",
    "privacy",
    "intellectual_property",
    "indiscriminate_weapons",
    "hate",
    "self_harm",
    "sexual_content",
    "elections",
    "code_interpreter_abuse",
];

impl Moderation {
    /// Judges by the model of this name.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            name: model.into(),
            model: None,
            categories: Vec::new(),
        }
    }

    /// Sets the model that is asked; the one that is guarded unless set.
    #[must_use]
    pub fn with_model(self, model: Arc<dyn ChatModel>) -> Self {
        Self {
            model: Some(model),
            ..self
        }
    }

    /// Sets the categories that count, such as `S1`; all unless set.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that is not of `S1` to `S14`.
    pub fn categories(self, categories: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let categories: Vec<String> = categories.into_iter().map(Into::into).collect();
        if let Some(unknown) = categories.iter().find(|code| name_of(code).is_none()) {
            let message = format!("moderation: there is no category `{unknown}`; there are S1 to S14");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self { categories, ..self })
    }

    fn counts(&self, code: &str) -> bool {
        self.categories.is_empty()
            || self
                .categories
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(code))
    }
}

/// `S1` is `violent_crimes`.
fn name_of(code: &str) -> Option<&'static str> {
    let number: usize = code.strip_prefix(['S', 's'])?.parse().ok()?;
    CATEGORIES.get(number.checked_sub(1)?).copied()
}

#[async_trait]
impl Guard for Moderation {
    fn name(&self) -> &str {
        "moderation"
    }

    async fn check(&self, view: &View<'_>) -> Result<Vec<Finding>> {
        let model: &dyn ChatModel = match (&self.model, view.model) {
            (Some(model), _) => &**model,
            (None, Some(model)) => model,
            (None, None) => {
                let message = "moderation: there is no model to ask";
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        let Some((request, judged)) = self.request(view) else {
            return Ok(Vec::new());
        };
        let answer = model.chat(request).await?;
        let codes = parse(&answer.text())?;
        let passage = view.passages.get(judged);
        let finding = |category| match passage {
            Some(passage) => Finding::whole(judged, passage, category),
            None => Finding::new(judged, 0..0, category),
        };
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let known = codes.iter().filter(|code| self.counts(code));
        Ok(known
            .map(|code| finding(name_of(code).unwrap_or("unsafe")).with_detail(code.to_ascii_uppercase()))
            .collect())
    }
}

impl Moderation {
    /// The conversation to judge, and the passage that it is about; `None` when there is nothing to judge.
    fn request(&self, view: &View<'_>) -> Option<(ChatRequest, usize)> {
        let judged = view
            .passages
            .iter()
            .rposition(|passage| turn(view.phase, passage).is_some())?;
        let mut turns: Vec<Message> = Vec::new();
        let mut left = MAX_JUDGED;
        let question = view
            .question
            .iter()
            .map(|passage| turn(Phase::Request, passage).zip(Some(passage)));
        let texts = view
            .passages
            .iter()
            .map(|passage| turn(view.phase, passage).zip(Some(passage)));
        // The latest first: it is what counts.
        for (role, passage) in question.chain(texts).rev().flatten() {
            let from = passage
                .text
                .ceil_char_boundary(passage.text.len().saturating_sub(left));
            let text = passage.text.get(from..).unwrap_or_default();
            left -= text.len();
            if text.trim().is_empty() {
                continue;
            }
            match turns.last_mut() {
                Some(last) if last.role == role => {
                    let text = format!("{text}\n{}", last.text());
                    *last = Message::from_text(role, text);
                }
                _ => turns.push(Message::from_text(role, text)),
            }
        }
        if turns.is_empty() {
            return None;
        }
        let mut context = Context::default();
        context.tenant.clone_from(&view.context.tenant);
        context.deadline = view.context.deadline;
        context.background.clone_from(&view.context.background);
        let request = ChatRequest::new(&self.name).with_context(context);
        let request = turns.into_iter().rev().fold(request, ChatRequest::message);
        Some((request.max_output_tokens(64).temperature(0.0), judged))
    }
}

/// Who speaks in a passage, for the judge: what is neither the user nor the model is not judged.
fn turn(phase: Phase, passage: &Passage<'_>) -> Option<Role> {
    match (phase, passage.source) {
        (_, Source::Assistant) => Some(Role::Assistant),
        (Phase::Request, Source::User | Source::ToolResult) => Some(Role::User),
        _ => None,
    }
}

/// `safe`, or `unsafe` and a line of categories.
fn parse(answer: &str) -> Result<Vec<String>> {
    let mut lines = answer.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next().map(str::to_ascii_lowercase).as_deref() {
        Some("safe") => Ok(Vec::new()),
        Some("unsafe") => {
            let codes: Vec<String> = lines
                .flat_map(|line| line.split([',', ' ']))
                .map(|code| code.trim().to_owned())
                .filter(|code| !code.is_empty())
                .take(CATEGORIES.len())
                .collect();
            // Unsafe, and it does not say why: that counts whatever the categories are.
            Ok(if codes.is_empty() {
                vec!["unsafe".into()]
            } else {
                codes
            })
        }
        _ => {
            let message = "moderation: the model answered neither `safe` nor `unsafe`; is it a Llama Guard?";
            Err(Error::new(ErrorKind::BadUpstream, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_testkit::scripted::ScriptedChatModel;
    use futures_executor::block_on;

    fn check(guard: &Moderation, view: &View<'_>) -> Result<Vec<(String, usize)>> {
        let findings = block_on(guard.check(view))?;
        Ok(findings
            .into_iter()
            .map(|finding| (finding.category.into_owned(), finding.passage))
            .collect())
    }

    #[test]
    fn categories_are_named_and_chosen() {
        let model = Arc::new(ScriptedChatModel::new().otherwise("\n\nunsafe\nS1,S10"));
        let guard = Moderation::new("guard").with_model(model);
        let context = Context::default();
        let passages = vec![
            Passage::new("be kind", Source::System, "s"),
            Passage::new("hi", Source::User, "u"),
        ];
        let view = View::new(Phase::Request, passages, &context);
        assert_eq!(
            check(&guard, &view).unwrap(),
            [("violent_crimes".to_owned(), 1), ("hate".to_owned(), 1)]
        );
        let some = guard.clone().categories(["S10"]).unwrap();
        assert_eq!(check(&some, &view).unwrap(), [("hate".to_owned(), 1)]);
        assert_eq!(
            guard.categories(["S15"]).unwrap_err().kind(),
            ErrorKind::Configuration
        );
    }

    #[test]
    fn an_answer_is_judged_with_its_question() {
        let model = ScriptedChatModel::new().otherwise("safe");
        let guard = Moderation::new("guard").with_model(Arc::new(model.clone()));
        let context = Context::default().with_tenant("t");
        let mut view = View::new(
            Phase::Answer,
            vec![Passage::new("mix it", Source::Assistant, "a")],
            &context,
        );
        view.question = vec![
            Passage::new("how", Source::User, "u"),
            Passage::new("to", Source::User, "u"),
        ];
        assert_eq!(check(&guard, &view).unwrap(), []);
        let asked = model.last_request().unwrap();
        let turns: Vec<(Role, String)> = asked
            .messages
            .iter()
            .map(|turn| (turn.role, turn.text()))
            .collect();
        assert_eq!(
            turns,
            [(Role::User, "how\nto".into()), (Role::Assistant, "mix it".into())]
        );
        assert_eq!(asked.context.tenant.as_deref(), Some("t"));
    }

    #[test]
    fn a_model_that_is_no_judge_is_an_error() {
        let model = Arc::new(ScriptedChatModel::new().otherwise("Sure, here is how"));
        let guard = Moderation::new("gpt").with_model(model);
        let context = Context::default();
        let view = View::new(
            Phase::Request,
            vec![Passage::new("hi", Source::User, "u")],
            &context,
        );
        assert_eq!(check(&guard, &view).unwrap_err().kind(), ErrorKind::BadUpstream);
    }
}
