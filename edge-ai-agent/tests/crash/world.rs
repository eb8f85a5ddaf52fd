//! What outlives a process that is killed: the database, the services, the person, and a watcher who comes back.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use edge_ai_agent::{
    Agent, AgentMessage, AgentTool, Driver, Journal, Repeat, RunEvent, RunLimits, RunOutcome, ToolContext,
    ToolInvocation, ToolSet, TypedTool,
};
use edge_ai_core::{
    ChatFrame, ChatModel, ChatRequest, ChatResponse, ChatStream, Database, Error, ErrorKind, ManualClock,
    Message, Result, Role, Row, SeededEntropy, Statement, Timestamp, async_trait,
};
use edge_ai_testkit::sqlite::Sqlite;
use futures_util::future::{Either, join, select};
use futures_util::{StreamExt, stream};

use crate::script::Script;

#[derive(Debug)]
pub(crate) struct World {
    script: Script,
    database: Sqlite,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    points: u64,
    kill_at: Option<u64>,
    dead: bool,
    asked: Vec<usize>,
    executions: BTreeMap<String, u64>,
    effects: BTreeMap<String, BTreeMap<String, u64>>,
    heard: Vec<(u64, RunEvent)>,
}

/// What a turn has come to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) points: u64,
    pub(crate) kills: u64,
    pub(crate) outcome: Option<RunOutcome>,
    pub(crate) transcript: Vec<Message>,
    /// What a watcher has heard who came back each time.
    pub(crate) events: Vec<RunEvent>,
    /// What one hears who comes when all is over.
    pub(crate) late: Vec<RunEvent>,
    pub(crate) asked: Vec<usize>,
    pub(crate) executions: BTreeMap<String, u64>,
    pub(crate) effects: BTreeMap<String, u64>,
    pub(crate) repeated_answers: usize,
    pub(crate) repeated_calls: usize,
}

impl World {
    pub(crate) fn new(script: &Script) -> Self {
        Self {
            script: script.clone(),
            database: Sqlite::new(&[Journal::MIGRATION]),
            state: Arc::default(),
        }
    }

    /// Plays the turn; each process but the last is killed at its point.
    pub(crate) fn play(self, kills: &[u64]) -> Outcome {
        let mut outcome = None;
        let (mut killed, mut repeated_answers, mut repeated_calls) = (0, 0, 0);
        for kill_at in kills.iter().map(|at| Some(*at)).chain([None]) {
            let (answers, settled) = self.kept();
            {
                let mut state = self.state.lock().unwrap();
                (state.kill_at, state.points, state.dead) = (kill_at, 0, false);
            }
            let (asked, executed) = self.seen();
            outcome = self.process();
            let (asked_now, executed_now) = self.seen();
            repeated_answers += asked_now
                .iter()
                .skip(asked.len())
                .filter(|step| **step < answers)
                .count();
            repeated_calls += settled
                .iter()
                .filter(|call| executed.get(*call) != executed_now.get(*call))
                .count();
            if !self.state.lock().unwrap().dead {
                break;
            }
            killed += 1;
        }
        self.outcome(outcome, (killed, repeated_answers, repeated_calls))
    }

    fn outcome(&self, outcome: Option<RunOutcome>, counts: (u64, usize, usize)) -> Outcome {
        let driver = self.driver(Arc::new(self.database.clone()));
        let (transcript, late) = futures_executor::block_on(async {
            let transcript = driver.journal().messages(None).await.unwrap();
            let late: Vec<_> = driver.watch(0).await.unwrap().map(Result::unwrap).collect().await;
            (transcript, numbered(late))
        });
        // Whoever is told nothing by `resume`, since it was over before the process was killed, has heard it.
        let last = late.iter().rev().find_map(|event| match event {
            RunEvent::Ended { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        let state = self.state.lock().unwrap();
        Outcome {
            points: state.points,
            kills: counts.0,
            outcome: outcome.or(last),
            transcript: transcript
                .into_iter()
                .map(|(_, message)| message.message)
                .collect(),
            events: numbered(state.heard.clone()),
            late,
            asked: state.asked.clone(),
            executions: state.executions.clone(),
            effects: state
                .effects
                .iter()
                .map(|(call, keys)| (call.clone(), keys.values().sum()))
                .collect(),
            repeated_answers: counts.1,
            repeated_calls: counts.2,
        }
    }

    /// The answers and the results that are kept.
    fn kept(&self) -> (usize, Vec<String>) {
        let driver = self.driver(Arc::new(self.database.clone()));
        futures_executor::block_on(async {
            let kept = driver.journal().messages(None).await.unwrap();
            let mut messages: Vec<_> = kept.into_iter().map(|(_, message)| message.message).collect();
            if let Some(run) = driver.current().await.unwrap() {
                messages.extend(run.messages().iter().cloned());
            }
            let answers = messages
                .iter()
                .filter(|message| message.role == Role::Assistant)
                .count();
            let rows = self.database.rows("SELECT body FROM agent_events ORDER BY block");
            let lines = rows.iter().flat_map(|row| row["body"].as_str().unwrap().lines());
            let events = lines.map(|line| serde_json::from_str::<RunEvent>(line).unwrap());
            let settled = events.filter_map(|event| match event {
                RunEvent::ToolDone { call, .. } => Some(call),
                _ => None,
            });
            (answers, settled.collect())
        })
    }

    fn seen(&self) -> (Vec<usize>, BTreeMap<String, u64>) {
        let state = self.state.lock().unwrap();
        (state.asked.clone(), state.executions.clone())
    }

    /// One process, from its start to its end or its death.
    fn process(&self) -> Option<RunOutcome> {
        let database = Killable {
            database: self.database.clone(),
            state: Arc::clone(&self.state),
        };
        let driver = self.driver(Arc::new(database));
        let person = async {
            let said = AgentMessage::user("question", "Do everything.", Timestamp::from_millis(5));
            driver.start(vec![said]).await.unwrap();
            let work = async {
                loop {
                    match driver.resume().await.unwrap() {
                        Some(RunOutcome::Waiting { approvals }) => {
                            for approval in approvals {
                                driver.approve(&approval, true, None).await.unwrap();
                            }
                        }
                        outcome => return outcome,
                    }
                }
            };
            join(work, self.listen(&driver)).await.0
        };
        let dead = poll_fn(|_| match self.state.lock().unwrap().dead {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        match futures_executor::block_on(select(pin!(person), dead)) {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => None,
        }
    }

    /// A watcher who has heard some of it and wants the rest.
    async fn listen(&self, driver: &Driver) {
        loop {
            let next = self.state.lock().unwrap().heard.len() as u64;
            let mut watch = driver.watch(next).await.unwrap();
            while let Some(event) = watch.next().await {
                self.state.lock().unwrap().heard.push(event.unwrap());
            }
            let last = self
                .state
                .lock()
                .unwrap()
                .heard
                .last()
                .map(|(_, event)| event.clone());
            if matches!(last, Some(RunEvent::Ended { outcome, .. }) if outcome.is_final()) {
                return;
            }
            // A turn that waits: the person's part comes next.
            let mut yielded = false;
            poll_fn(|context| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    fn driver(&self, database: Arc<dyn Database>) -> Driver {
        let mut tools = ToolSet::new();
        for repeat in [Repeat::Once, Repeat::WithKey, Repeat::ReadOnly] {
            for asks in [false, true] {
                tools.add(self.tool(repeat, asks)).unwrap();
            }
        }
        let model = Model {
            script: self.script.clone(),
            state: Arc::clone(&self.state),
        };
        let agent = Agent::builder("clerk")
            .model(Arc::new(model), "m")
            .tools(tools)
            .limits(RunLimits::default())
            .build()
            .unwrap();
        let clock = ManualClock::new(Timestamp::from_millis(1_000));
        let context = ToolContext::new(None, "clerk", "one");
        let journal = Journal::new(database, "clerk/one");
        Driver::new(
            agent,
            journal,
            context,
            Arc::new(clock),
            Arc::new(SeededEntropy::new(7)),
        )
    }

    fn tool(&self, repeat: Repeat, asks: bool) -> impl AgentTool + use<> {
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        struct How {
            fails: bool,
        }
        let state = Arc::clone(&self.state);
        let call = crate::script::Call {
            repeat,
            asks,
            fails: false,
        };
        let tool = TypedTool::new(call.tool(), "Does it.", move |how: How, call: ToolInvocation| {
            let state = Arc::clone(&state);
            async move {
                point(&state).await;
                {
                    let mut state = state.lock().unwrap();
                    *state.executions.entry(call.call_id.clone()).or_default() += 1;
                    let effects = state.effects.entry(call.call_id.clone()).or_default();
                    // The service makes an effect once for a key.
                    effects.insert(call.idempotency_key.clone(), 1);
                }
                point(&state).await;
                match how.fails {
                    true => Err(Error::new(ErrorKind::Unavailable, "the service is out")),
                    false => Ok(format!("done {}", call.call_id)),
                }
            }
        });
        let tool = match repeat {
            Repeat::WithKey => tool.idempotent(),
            Repeat::ReadOnly => tool.read_only(),
            _ => tool,
        };
        if asks { tool.needs_approval() } else { tool }
    }
}

/// The events, whose numbers have no gaps.
fn numbered(events: Vec<(u64, RunEvent)>) -> Vec<RunEvent> {
    for (at, (number, event)) in (0_u64..).zip(&events) {
        assert_eq!(at, *number, "{event:?} is out of order");
    }
    events.into_iter().map(|(_, event)| event).collect()
}

/// A point where the process may be killed.
async fn point(state: &Mutex<State>) {
    let dies = {
        let mut state = state.lock().unwrap();
        state.points += 1;
        state.dead |= state.kill_at == Some(state.points);
        state.dead
    };
    if dies {
        pending::<()>().await;
    }
}

#[derive(Debug)]
struct Killable {
    database: Sqlite,
    state: Arc<Mutex<State>>,
}

#[async_trait]
impl Database for Killable {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        let reads = statements
            .iter()
            .all(|statement| statement.sql.trim_start().starts_with("SELECT"));
        if reads {
            return self.database.batch(statements).await;
        }
        point(&self.state).await;
        let rows = self.database.batch(statements).await;
        point(&self.state).await;
        rows
    }
}

#[derive(Debug)]
struct Model {
    script: Script,
    state: Arc<Mutex<State>>,
}

#[async_trait]
impl ChatModel for Model {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        Ok(self.chat_stream(request).await?.collect().await?.into())
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        point(&self.state).await;
        let step = Script::answers(&request.input);
        self.state.lock().unwrap().asked.push(step);
        point(&self.state).await;
        let events = self.script.answer(step);
        Ok(ChatStream::new(stream::iter(
            events.into_iter().map(|event| Ok(ChatFrame::new(vec![event]))),
        )))
    }
}
