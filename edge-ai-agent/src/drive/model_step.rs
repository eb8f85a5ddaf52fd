use std::pin::pin;
use std::time::Duration;

use edge_ai_core::{ChatAccumulator, ChatOutput, ChatRequest, ChatStream, Error, ErrorKind, Result};
use futures_util::StreamExt;
use futures_util::future::{Either, select};

use super::engine::Engine;
use crate::Agent;
use crate::run::{RunError, RunInput, StepDeltas};

/// Deltas are kept together: at most so many, at most so long.
const PACK: usize = 16;
const PACK_TIME: Duration = Duration::from_millis(100);

/// The most bytes of an answer: as JSON, it must fit in a row.
const ANSWER: usize = 768 << 10;

/// Asks the model, tells what it says as it says it, and takes the answer.
pub(super) async fn ask(engine: &mut Engine<'_>, agent: &str, mut request: ChatRequest) -> Result<()> {
    engine.commit().await?;
    let Some(agent) = engine.agent.named(agent).cloned() else {
        let error = Error::new(
            ErrorKind::Configuration,
            format!("there is no agent {agent:?} any more"),
        );
        return engine.apply(RunInput::Failed(RunError::from(&error)));
    };
    let limit = engine.run.plan().limits.model_timeout;
    request.context.deadline = Some(engine.clock.now() + limit);
    let clock = engine.clock;
    let mut deadline = clock.sleep(limit);
    let opening = agent.model().chat_stream(request);
    let opened = {
        let inbox = engine.inbox;
        let filled = pin!(inbox.filled());
        let given_up = select(filled, &mut deadline);
        match select(opening, given_up).await {
            Either::Left((opened, _)) => Some(opened),
            Either::Right((Either::Left(_), _)) => None,
            Either::Right((Either::Right(_), _)) => Some(Err(too_long(limit))),
        }
    };
    let outcome = match opened {
        None => return interrupted(engine).await,
        Some(Err(error)) => Err(error),
        Some(Ok(stream)) => {
            let mut reading = Reading {
                stream,
                deltas: engine.run.deltas(),
                answer: ChatAccumulator::default(),
            };
            loop {
                match reading.next(engine, &mut deadline, limit).await? {
                    Next::More => {}
                    Next::Letters => {
                        engine.read_letters();
                        if engine.run.outcome().is_some() {
                            return Ok(());
                        }
                        engine.commit().await?;
                    }
                    Next::Done(outcome) => {
                        let mut events = Vec::new();
                        reading.deltas.close(&mut events);
                        engine.tell(events);
                        break outcome.map(|()| reading.answer.finish());
                    }
                }
            }
        }
    };
    take(engine, &agent, outcome)
}

/// A letter came before the answer: what it says is done, and the model is asked (again) if it is still to be.
async fn interrupted(engine: &mut Engine<'_>) -> Result<()> {
    engine.read_letters();
    engine.commit().await
}

fn take(engine: &mut Engine<'_>, agent: &Agent, outcome: Result<ChatOutput>) -> Result<()> {
    let output = match outcome {
        Ok(output) => output,
        Err(error) => return engine.apply(RunInput::Failed(RunError::from(&error))),
    };
    let cost = output
        .usage
        .as_ref()
        .zip(agent.price())
        .map(|(usage, price)| price.of(usage));
    let planned = engine.run.planned_calls(&output);
    let consent = planned.iter().enumerate().filter_map(|(at, call)| {
        let (tool, invocation) = call.as_ref()?;
        let tool = agent.tools().get(tool)?;
        (tool.approval(invocation) != crate::Approval::NotNeeded).then_some(at)
    });
    let consent = consent.collect();
    let output = Box::new(output);
    engine.apply(RunInput::Answered {
        output,
        cost,
        consent,
    })
}

struct Reading {
    stream: ChatStream,
    deltas: StepDeltas,
    answer: ChatAccumulator,
}

enum Next {
    More,
    Letters,
    Done(Result<()>),
}

impl Reading {
    /// The next frame; meanwhile, what waits to be told is told.
    async fn next(
        &mut self,
        engine: &mut Engine<'_>,
        deadline: &mut (impl Future<Output = ()> + Unpin),
        limit: Duration,
    ) -> Result<Next> {
        let (clock, inbox) = (engine.clock, engine.inbox);
        let since = clock.now().since(engine.flushed);
        if engine.untold() >= PACK || (engine.untold() > 0 && since >= PACK_TIME) {
            engine.commit().await?;
        }
        let untold = engine.untold();
        let flush = async {
            match untold {
                0 => std::future::pending().await,
                _ => clock.sleep(PACK_TIME.saturating_sub(since)).await,
            }
        };
        let (filled, flush) = (pin!(inbox.filled()), pin!(flush));
        let others = select(filled, select(flush, deadline));
        let frame = match select(self.stream.next(), others).await {
            Either::Left((frame, _)) => frame,
            Either::Right((Either::Left(_), _)) => return Ok(Next::Letters),
            Either::Right((Either::Right((Either::Left(_), _)), _)) => {
                engine.commit().await?;
                return Ok(Next::More);
            }
            Either::Right((Either::Right((Either::Right(_), _)), _)) => {
                return Ok(Next::Done(Err(too_long(limit))));
            }
        };
        let frame = match frame {
            None => return Ok(Next::Done(Ok(()))),
            Some(Err(error)) => return Ok(Next::Done(Err(error))),
            Some(Ok(frame)) => frame,
        };
        let mut events = Vec::new();
        for event in frame.events {
            self.deltas.push(&event, &mut events);
            self.answer.push(event);
        }
        engine.tell(events);
        if self.answer.size() > ANSWER {
            let message = format!("the model's answer is over {ANSWER} bytes");
            return Ok(Next::Done(Err(Error::new(ErrorKind::TooLarge, message))));
        }
        Ok(Next::More)
    }
}

fn too_long(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("the model has not answered within {} s", limit.as_secs()),
    )
}
