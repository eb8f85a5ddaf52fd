use std::time::Duration;

use edge_ai_agent::{RunLimit, RunLimits, RunOutcome, ToolContext, ToolInvocation, ToolSet, TypedTool};
use edge_ai_core::{ChatOutput, Error, ErrorKind, Money, Price};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

use crate::fixtures::{agent, calls, driver, question, results, run};

/// A model that calls a tool for ever.
fn restless() -> ScriptedChatModel {
    ScriptedChatModel::from_fn(|_| Ok(calls(&[("a", "weather", r#"{"city": "Paris"}"#)])))
}

#[test]
fn every_limit_stops_before_the_tools_are_called() {
    let limits = RunLimits::default;
    for (limits, limit, asked) in [
        (limits().steps(3), RunLimit::Steps, 3),
        (limits().tool_calls(2), RunLimit::ToolCalls, 3),
        (limits().tokens(220), RunLimit::Tokens, 2),
        (limits().cost(Money::from_nano_dollars(330)), RunLimit::Cost, 3),
    ] {
        let model = restless();
        // A micro-dollar for a thousand tokens.
        let run = run(agent(&model).limits(limits).price(Price::new(1_000, 1_000)));
        assert_eq!(run.outcome(), Some(RunOutcome::Stopped { limit }));
        assert_eq!(model.requests().len(), asked, "{limit}");
        let results = results(run.messages());
        assert_eq!(results.len(), asked, "every call has a result: {results:?}");
        assert_eq!(
            results[asked - 1],
            format!("The call was not made, since the limit of {limit} is reached.")
        );
    }
}

#[test]
fn tokens_are_estimated_where_no_vendor_tells() {
    let model = ScriptedChatModel::from_fn(|_| {
        let mut output = calls(&[("a", "weather", r#"{"city": "Paris"}"#)]);
        output.usage = None;
        Ok(output)
    });
    let run = run(agent(&model).limits(RunLimits::default().tokens(150)));
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Stopped {
            limit: RunLimit::Tokens
        })
    );
}

#[test]
fn time_is_working_time_and_a_slow_tool_is_given_up() {
    let slow = TypedTool::new(
        "slow",
        "Never ends.",
        |_: serde_json::Value, _: ToolInvocation| async {
            std::future::pending::<Result<String, Error>>().await
        },
    );
    let model = ScriptedChatModel::from_fn(|_| Ok(calls(&[("a", "slow", "{}")])));
    let limits = RunLimits::default()
        .time(Duration::from_secs(100))
        .tool_timeout(Duration::from_secs(60));
    let run = run(agent(&model)
        .tools(ToolSet::new().with(slow).unwrap())
        .limits(limits));
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Stopped {
            limit: RunLimit::Time
        })
    );
    assert_eq!(
        results(run.messages()),
        ["no answer within 60000 ms", "no answer within 60000 ms"]
    );
}

#[test]
fn a_model_that_is_silent_is_given_up() {
    let model = ScriptedChatModel::new().hang();
    let outcome = run(agent(&model)).outcome();
    let Some(RunOutcome::Failed { error }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(model.in_flight().count(), 0);
}

#[test]
fn an_answer_over_a_limit_is_still_the_answer() {
    let mut output = ChatOutput::from_text("Paris");
    output.usage = Some(edge_ai_core::Usage::new(1_000, 1_000));
    let model = ScriptedChatModel::new().output(output);
    let driver = driver(agent(&model).limits(RunLimits::default().tokens(10)));
    let run = block_on(driver.run(question(), ToolContext::default())).unwrap();
    assert!(matches!(run.outcome(), Some(RunOutcome::Finished { .. })));
}
