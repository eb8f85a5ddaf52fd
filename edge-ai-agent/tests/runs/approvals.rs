use edge_ai_agent::{Run, RunInput, RunOutcome, ToolContext};
use edge_ai_testkit::scripted::ScriptedChatModel;
use futures_executor::block_on;

use crate::fixtures::{agent, calls, driver, question, results};

fn decided(approved: bool) -> RunInput {
    RunInput::Decided {
        approval: "approval-s".to_owned(),
        approved,
        reason: (!approved).then(|| "not on a Sunday".to_owned()),
    }
}

fn ask(model: &ScriptedChatModel) -> (edge_ai_agent::StatelessDriver, Run) {
    let driver = driver(agent(model));
    let run = block_on(driver.run(question(), ToolContext::default())).unwrap();
    // Put away and taken out again, as whoever has no journal does.
    let kept = serde_json::to_string(&run).unwrap();
    (driver, serde_json::from_str(&kept).unwrap())
}

fn sending() -> ScriptedChatModel {
    let both = calls(&[
        ("w", "weather", r#"{"city": "Rome"}"#),
        ("s", "send", r#"{"city": "Rome"}"#),
    ]);
    ScriptedChatModel::new().output(both).answer("Well then.")
}

#[test]
fn a_call_waits_for_consent_while_others_are_made() {
    let model = sending();
    let (driver, run) = ask(&model);
    assert_eq!(
        run.outcome(),
        Some(RunOutcome::Waiting {
            approvals: vec!["approval-s".into()]
        })
    );
    assert_eq!(model.requests().len(), 1);
    let run = block_on(driver.resume(run, vec![decided(true)])).unwrap();
    assert_eq!(results(run.messages()), ["rain in Rome", "sent to Rome"]);
    assert_eq!(run.messages().last().unwrap().text(), "Well then.");
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let (driver, run) = ask(&sending());
    let run = block_on(driver.resume(run, vec![decided(false)])).unwrap();
    assert_eq!(
        results(run.messages())[1],
        "The user refused the call: not on a Sunday."
    );
}

#[test]
fn nobody_consents_to_what_was_not_asked_or_twice() {
    let (driver, run) = ask(&sending());
    let other = RunInput::Decided {
        approval: "w".into(),
        approved: true,
        reason: None,
    };
    let unknown = RunInput::Decided {
        approval: "z".into(),
        approved: true,
        reason: None,
    };
    for (inputs, code) in [
        (vec![other], "approval_settled"),
        (vec![unknown], "approval_unknown"),
        (vec![decided(false), decided(true)], "run_elsewhere"),
    ] {
        let error = block_on(driver.resume(run.clone(), inputs)).unwrap_err();
        assert!(error.code() == Some(code) || code == "run_elsewhere", "{error}");
    }
    assert!(
        serde_json::from_str::<RunInput>(
            r#"{"decided": {"approval": "s", "approved": "true", "reason": null}}"#
        )
        .is_err()
    );
    assert!(
        serde_json::from_str::<RunInput>(r#"{"decided": {"approval": "s", "approved": 1, "reason": null}}"#)
            .is_err()
    );
}
