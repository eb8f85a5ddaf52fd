use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use edge_ai_core::{Clock, Error, ErrorKind, Result, timeout};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, Either, FutureExt, select};
use futures_util::stream::FuturesUnordered;

use super::engine::Engine;
use super::judge;
use crate::run::{Effect, RunInput, Verdict};
use crate::{Agent, ToolInvocation, ToolOutput};

/// The most bytes of an output: it must fit in a row of events.
const OUTPUT: usize = 1 << 20;

/// What came of a call: the verdict before it is made, its output, or why a guard ends the run over that.
enum Part {
    Judged(Box<Call>, Verdict),
    Done(String, std::result::Result<ToolOutput, String>),
}

struct Call {
    agent: Agent,
    tool: String,
    invocation: ToolInvocation,
}

/// Makes the calls of a step, several at once, until each has its result or people must answer.
pub(super) async fn call(engine: &mut Engine<'_>) -> Result<()> {
    let limits = engine.run.plan().limits.clone();
    let (clock, inbox) = (engine.clock, engine.inbox);
    let mut work: FuturesUnordered<BoxFuture<'_, Part>> = FuturesUnordered::new();
    let mut busy = BTreeSet::new();
    let mut made = Vec::new();
    loop {
        for call in ready(engine, &mut busy)? {
            if call.agent.guards().is_empty() {
                start(engine, call, &mut made)?;
            } else {
                work.push(judged(call).boxed());
            }
        }
        engine.commit().await?;
        let calls = made.drain(..);
        work.extend(calls.map(|call| done(call, clock, limits.tool_timeout).boxed()));
        if work.is_empty() {
            return Ok(());
        }
        match select(work.next(), pin!(inbox.filled())).await {
            Either::Left((Some(Part::Judged(call, verdict)), _)) => match verdict {
                Verdict::Allow => start(engine, *call, &mut made)?,
                Verdict::Retry { reason } => {
                    busy.remove(&call.invocation.call_id);
                    let output = ToolOutput::error(reason);
                    engine.apply(RunInput::ToolDone {
                        call: call.invocation.call_id,
                        output,
                    })?;
                }
                Verdict::Block { reason } => engine.apply(RunInput::Blocked { reason })?,
            },
            Either::Left((Some(Part::Done(call, output)), _)) => {
                busy.remove(&call);
                match output {
                    Ok(output) => engine.apply(RunInput::ToolDone { call, output })?,
                    Err(reason) => engine.apply(RunInput::Blocked { reason })?,
                }
            }
            Either::Left((None, _)) => {}
            Either::Right(_) => engine.read_letters(),
        }
        if matches!(engine.run.outcome(), Some(outcome) if outcome.is_final()) {
            return Ok(());
        }
    }
}

/// The calls that are to be made now and are not under way.
fn ready(engine: &mut Engine<'_>, busy: &mut BTreeSet<String>) -> Result<Vec<Call>> {
    let most = usize::try_from(engine.run.plan().limits.parallel_tools).unwrap_or(usize::MAX);
    let mut calls = Vec::new();
    for effect in engine.run.next() {
        let Effect::CallTool {
            agent,
            tool,
            invocation,
            ..
        } = effect
        else {
            break;
        };
        if busy.len() >= most {
            break;
        }
        let Some(agent) = engine.agent.named(&agent).cloned() else {
            let message = format!("there is no agent {agent:?} any more");
            let error = Error::new(ErrorKind::Configuration, message);
            engine.apply(RunInput::Failed((&error).into()))?;
            return Ok(Vec::new());
        };
        if busy.insert(invocation.call_id.clone()) {
            calls.push(Call {
                agent,
                tool,
                invocation,
            });
        }
    }
    Ok(calls)
}

/// Notes that a call is made; it is, once that is kept.
fn start(engine: &mut Engine<'_>, call: Call, made: &mut Vec<Call>) -> Result<()> {
    engine.apply(RunInput::ToolStarted {
        call: call.invocation.call_id.clone(),
    })?;
    made.push(call);
    Ok(())
}

async fn judged(call: Call) -> Part {
    let verdict = match call.agent.tools().get(&call.tool) {
        Some(tool) => judge::tool_call(&call.agent, tool.spec(), &call.invocation).await,
        None => Verdict::Allow,
    };
    Part::Judged(Box::new(call), verdict)
}

async fn done(call: Call, clock: &dyn Clock, limit: Duration) -> Part {
    let Call {
        agent,
        tool,
        invocation,
    } = call;
    let id = invocation.call_id.clone();
    let Some(tool) = agent.tools().get(&tool) else {
        return Part::Done(
            id,
            Ok(ToolOutput::error(format!("there is no tool {tool:?} any more"))),
        );
    };
    let output = match timeout(clock, limit, tool.call(invocation)).await {
        Ok(output) => fitting(output),
        Err(error) => ToolOutput::error(error.message()),
    };
    let output = match judge::tool_output(&agent, tool.spec(), &output).await {
        Verdict::Allow => Ok(output),
        Verdict::Retry { reason } => Ok(ToolOutput::error(reason)),
        Verdict::Block { reason } => Err(reason),
    };
    Part::Done(id, output)
}

fn fitting(output: ToolOutput) -> ToolOutput {
    match serde_json::to_string(&output).map(|json| json.len()) {
        Ok(size) if size <= OUTPUT => output,
        Ok(size) => ToolOutput::error(format!(
            "the tool gave {size} bytes, more than the {OUTPUT} that are kept: ask for less"
        )),
        Err(error) => ToolOutput::error(format!("the tool's output cannot be kept: {error}")),
    }
}
