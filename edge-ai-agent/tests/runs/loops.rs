use std::sync::Arc;

use edge_ai_agent::{
    Agent, AgentModel, AgentTool, Journal, Repeat, RunError, RunEvent, RunOutcome, SubAgent, ToolInvocation,
    ToolSet,
};
use edge_ai_core::{
    ChatModel, ChatOutput, ChatRequest, Error, ErrorKind, FinishReason, FunctionTool, ManualClock, Role,
    SeededEntropy, Timestamp,
};
use edge_ai_testkit::scripted::ScriptedChatModel;
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;

use crate::fixtures::{agent, calls, driver, events, results, run};

#[test]
fn tools_are_called_at_once_and_their_results_go_back_in_order() {
    let two = calls(&[
        ("a", "weather", r#"{"city": "Paris"}"#),
        ("b", "weather", r#"{"city": "Rome"}"#),
    ]);
    let model = ScriptedChatModel::new().output(two).answer("It rains.");
    let run = run(agent(&model));
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Finished {
            reason: FinishReason::Stop
        })
    );
    assert_eq!(results(run.messages()), ["rain in Paris", "rain in Rome"]);
    assert_eq!(run.messages().last().unwrap().text(), "It rains.");
    let asked = model.last_request().unwrap();
    let roles: Vec<_> = asked.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool]);
    assert!(asked.context.idempotency_key.as_deref().unwrap().ends_with("/2"));
}

#[test]
fn what_cannot_be_called_is_told_to_the_model() {
    let bad = calls(&[
        ("a", "weather", r#"{"city": "Par"#),
        ("b", "wether", "{}"),
        ("c", "weather", r#"{"town": 1}"#),
        ("d", "weather", "```json\n{\"city\": \"Oslo\"}\n```"),
    ]);
    let model = ScriptedChatModel::new().output(bad).answer("Sorry.");
    let run = run(agent(&model));
    let results = results(run.messages());
    assert!(results[0].contains("not valid JSON"), "{results:?}");
    assert_eq!(
        results[1],
        "there is no tool \"wether\"; there are: weather, send"
    );
    assert!(results[2].contains("missing field `city`"), "{results:?}");
    assert_eq!(results[3], "rain in Oslo");
}

#[test]
fn calls_without_an_id_or_with_one_twice_get_their_own() {
    let twice = || {
        calls(&[
            ("x", "weather", r#"{"city": "A"}"#),
            ("x", "weather", r#"{"city": "B"}"#),
            ("", "weather", r#"{"city": "C"}"#),
        ])
    };
    let model = ScriptedChatModel::new()
        .output(twice())
        .output(twice())
        .answer("Done.");
    let told = events(agent(&model));
    let mut begun = Vec::new();
    let mut done = Vec::new();
    for event in told {
        match event {
            RunEvent::ToolInputStarted { call, .. } => begun.push(call),
            RunEvent::ToolDone { call, .. } => done.push(call),
            _ => {}
        }
    }
    let mut unique = done.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 6);
    begun.sort();
    assert_eq!(begun, unique, "the stream and the run name calls alike");
}

#[test]
fn a_model_that_fails_ends_the_run_by_its_kind() {
    let model = ScriptedChatModel::new()
        .output(calls(&[("a", "weather", r#"{"city": "Paris"}"#)]))
        .fail(Error::new(ErrorKind::RateLimited, "too many requests").with_code("rate_limit_exceeded"));
    let run = run(agent(&model));
    let Some(RunOutcome::Failed {
        error: RunError { kind, code, .. },
    }) = run.outcome()
    else {
        panic!("{:?}", run.outcome());
    };
    assert_eq!(
        (kind, code.as_deref()),
        (ErrorKind::RateLimited, Some("rate_limit_exceeded"))
    );
    assert_eq!(run.messages().len(), 2, "what is settled is kept");
}

#[test]
fn a_conversation_is_handed_over_once() {
    let bookings = ScriptedChatModel::new().answer("Booked.");
    let bookings = agent(&bookings).build().unwrap();
    let model = ScriptedChatModel::new().output(calls(&[
        ("a", "transfer_to_clerk", "{}"),
        ("b", "transfer_to_clerk", "{}"),
    ]));
    let front = Agent::builder("front")
        .model(Arc::new(model.clone()), "front-model")
        .handoff(bookings);
    let run = run(front);
    assert_eq!(run.messages().last().unwrap().text(), "Booked.");
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Finished {
            reason: FinishReason::Stop
        })
    );
    assert_eq!(results(run.messages()).len(), 2);
    assert_eq!(model.requests().len(), 1);
}

#[test]
fn a_tool_may_be_the_end() {
    let model = ScriptedChatModel::new().output(calls(&[("a", "weather", r#"{"city": "Paris"}"#)]));
    let run = run(agent(&model).stop_after("weather"));
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Finished {
            reason: FinishReason::ToolCalls
        })
    );
    assert_eq!(model.remaining(), 0);
}

#[test]
fn an_agent_is_a_model() {
    let model = ScriptedChatModel::new()
        .output(calls(&[("a", "weather", r#"{"city": "Paris"}"#)]))
        .output(ChatOutput::from_text("It rains."));
    let served = AgentModel::new(driver(agent(&model)));
    let answer = block_on(served.chat(ChatRequest::new("agent/clerk").user("Weather?"))).unwrap();
    assert_eq!(
        (answer.text().as_str(), answer.model.as_str()),
        ("It rains.", "agent/clerk")
    );
    assert_eq!(answer.tool_calls().count(), 0);
    assert_eq!(answer.usage.unwrap().input_tokens, 100);

    let with_tools = ChatRequest::new("agent/clerk")
        .user("Weather?")
        .tool(FunctionTool::named("own"));
    assert_eq!(
        block_on(served.chat(with_tools)).unwrap_err().param(),
        Some("tools")
    );
}

#[test]
fn an_agent_is_a_tool_of_another() {
    let helper = || {
        ScriptedChatModel::new()
            .output(calls(&[("h", "weather", r#"{"city": "Oslo"}"#)]))
            .answer("Rain, says Oslo.")
    };
    let task = calls(&[("t", "clerk", r#"{"task": "Ask Oslo."}"#)]);
    let database = Arc::new(Sqlite::new(&[Journal::MIGRATION]));
    for kept in [false, true] {
        let inner = helper();
        let tool = SubAgent::new(
            agent(&inner).build().unwrap(),
            Arc::new(ManualClock::new(Timestamp::from_millis(1))),
            Arc::new(SeededEntropy::new(9)),
        );
        let tool = if kept {
            tool.journal(Arc::<Sqlite>::clone(&database))
        } else {
            tool
        };
        assert_eq!(
            tool.spec().repeat,
            if kept { Repeat::WithKey } else { Repeat::Once }
        );
        let tool = Arc::new(tool);
        let outer = ScriptedChatModel::new().output(task.clone()).answer("It rains.");
        let front = Agent::builder("front").model(Arc::new(outer), "m");
        let run = run(front.tools(ToolSet::new().with(Arc::clone(&tool)).unwrap()));
        assert_eq!(results(run.messages()), ["Rain, says Oslo."]);
        assert_eq!(inner.requests()[0].messages.last().unwrap().text(), "Ask Oslo.");
        if kept {
            // Made again after a crash, the call has its answer already.
            let again = ToolInvocation::new("t", r#"{"task": "Ask Oslo."}"#)
                .idempotency_key(format!("{}/t", run.id()));
            assert_eq!(block_on(tool.call(again)).unwrap().text(), "Rain, says Oslo.");
            assert_eq!(inner.requests().len(), 2);
        }
    }
}

#[test]
fn a_tool_that_is_an_agent_cannot_ask_people() {
    let inner = ScriptedChatModel::new().output(calls(&[("s", "send", r#"{"city": "Rome"}"#)]));
    let tool = SubAgent::new(
        agent(&inner).build().unwrap(),
        Arc::new(ManualClock::new(Timestamp::from_millis(1))),
        Arc::new(SeededEntropy::new(9)),
    );
    let error = block_on(tool.call(ToolInvocation::new("t", r#"{"task": "Send."}"#))).unwrap_err();
    assert_eq!(error.code(), Some("approval_needed"));
}
