use edge_ai_agent::{
    RunGuard, RunLimit, RunLimits, RunOutcome, ToolInvocation, ToolOutput, ToolSpec, Verdict,
};
use edge_ai_core::{ChatOutput, Error, ErrorKind, Message, ResponseFormat, Result, Role, async_trait};
use edge_ai_testkit::scripted::ScriptedChatModel;

use crate::fixtures::{agent, calls, results, run};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Capital {
    #[expect(dead_code, reason = "only its form counts")]
    name: String,
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_again_and_not_kept() {
    let model = ScriptedChatModel::new()
        .answer("Paris!")
        .answer(r#"{"name": "Paris"}"#);
    let run = run(agent(&model).output::<Capital>());
    assert!(matches!(run.outcome(), Some(RunOutcome::Finished { .. })));
    let texts: Vec<_> = run.messages().iter().map(Message::text).collect();
    assert_eq!(texts, [r#"{"name": "Paris"}"#]);
    let asked = model.last_request().unwrap();
    assert!(matches!(
        asked.response_format,
        Some(ResponseFormat::JsonSchema { .. })
    ));
    let told = asked.messages.last().unwrap();
    assert!(
        told.role == Role::User && told.text().contains("does not fit the schema"),
        "{told:?}"
    );
}

#[test]
fn it_is_asked_for_so_often_and_no_more() {
    let model = ScriptedChatModel::new().otherwise("Paris!");
    let run = run(agent(&model)
        .output::<Capital>()
        .limits(RunLimits::default().output_retries(1)));
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Stopped {
            limit: RunLimit::OutputRetries
        })
    );
    assert_eq!(model.requests().len(), 2);
}

/// Judges by words.
#[derive(Debug)]
struct Words;

fn judged(text: &str) -> Result<Verdict> {
    if text.contains("broken") {
        return Err(Error::new(ErrorKind::Unavailable, "the judge is out"));
    }
    Ok(if text.contains("secret") {
        Verdict::block("a secret")
    } else if text.contains("Rome") {
        Verdict::retry("Not Rome.")
    } else {
        Verdict::Allow
    })
}

#[async_trait]
impl RunGuard for Words {
    async fn input(&self, messages: &[Message]) -> Result<Verdict> {
        judged(&messages.iter().map(Message::text).collect::<String>())
    }

    async fn output(&self, output: &ChatOutput) -> Result<Verdict> {
        judged(&output.text())
    }

    async fn tool_call(&self, _: &ToolSpec, call: &ToolInvocation) -> Result<Verdict> {
        judged(&call.arguments)
    }

    async fn tool_output(&self, _: &ToolSpec, output: &ToolOutput) -> Result<Verdict> {
        judged(&output.text().replace("rain in Oslo", "rain in Rome"))
    }
}

#[test]
fn guards_judge_what_goes_in_and_what_comes_out() {
    let blocked = |reason: &str| {
        Some(RunOutcome::Blocked {
            reason: reason.to_owned(),
        })
    };
    for (answer, reason) in [
        ("a secret", "a secret"),
        ("broken", "a guard failed: the judge is out"),
    ] {
        let model = ScriptedChatModel::new().answer(answer);
        let run = run(agent(&model).guard(Words));
        assert_eq!(run.outcome(), blocked(reason));
        assert!(run.messages().is_empty(), "what was blocked is not kept");
    }
    let weather = |city: &str| calls(&[("a", "weather", &format!("{{\"city\": \"{city}\"}}"))]);
    let model = ScriptedChatModel::new()
        .output(weather("Rome"))
        .output(weather("Oslo"))
        .output(weather("secret"));
    let run = run(agent(&model).guard(Words));
    assert_eq!(run.outcome(), blocked("a secret"));
    assert_eq!(
        results(run.messages()),
        [
            "Not Rome.",
            "Not Rome.",
            "The call was not made, since it is not allowed."
        ]
    );
}
