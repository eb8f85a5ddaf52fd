use std::sync::Arc;

use edge_ai_core::{Clock, Database, Entropy, Error, ErrorKind, Message, Result, Role, async_trait};

use super::Agent;
use crate::tool::schema;
use crate::{
    AgentMessage, AgentTool, Driver, Journal, Repeat, RunOutcome, StatelessDriver, ToolInvocation,
    ToolOutput, ToolSpec,
};

/// An agent that another agent calls as a tool: it gets a task, works on it by itself, and its last answer is the result.
///
/// With a [journal](Self::journal) a call survives a crash: the same call goes on with the same run, and nothing that it has settled happens again. It cannot
/// ask people: a tool of its own that needs an approval ends the call with an error.
#[derive(Debug)]
pub struct SubAgent {
    spec: ToolSpec,
    agent: Agent,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    database: Option<Arc<dyn Database>>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Task {
    /// What to do, with everything that there is to know about it.
    task: String,
}

impl SubAgent {
    /// An agent as a tool of its name and [description](super::AgentBuilder::description). Without a journal a call is not made again after a crash.
    pub fn new(agent: Agent, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            spec: ToolSpec::new(agent.name(), agent.description(), schema::<Task>()),
            agent,
            clock,
            entropy,
            database: None,
        }
    }

    /// Keeps its runs in a database with the tables of [`Journal::MIGRATION`], each as a conversation of its own that is named by the call's
    /// [idempotency key](ToolInvocation::idempotency_key).
    #[must_use]
    pub fn journal(mut self, database: Arc<dyn Database>) -> Self {
        self.spec.repeat = Repeat::WithKey;
        self.database = Some(database);
        self
    }

    async fn with_journal(
        &self,
        database: &Arc<dyn Database>,
        call: &ToolInvocation,
        task: String,
    ) -> Result<ToolOutput> {
        let journal = Journal::new(Arc::clone(database), call.idempotency_key.as_str());
        let parts = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let driver = Driver::new(
            self.agent.clone(),
            journal,
            call.context.clone(),
            parts.0,
            parts.1,
        );
        driver
            .start(vec![AgentMessage::user("task", task, self.clock.now())])
            .await?;
        if let Some(RunOutcome::Waiting { .. }) = driver.resume().await? {
            driver.cancel().await?;
            return Err(asks());
        }
        // A run that was over before has told its outcome to a caller that was killed.
        let outcome = driver.journal().last_outcome().await?;
        let messages = driver.journal().messages(None).await?;
        answer(outcome, messages.last().map(|(_, message)| &message.message))
    }
}

#[async_trait]
impl AgentTool for SubAgent {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: ToolInvocation) -> Result<ToolOutput> {
        let Task { task } = call.read()?;
        if let Some(database) = &self.database {
            return self.with_journal(database, &call, task).await;
        }
        let driver = StatelessDriver::new(
            self.agent.clone(),
            Arc::clone(&self.clock),
            Arc::clone(&self.entropy),
        );
        let said = vec![Message::from_text(Role::User, task)];
        let run = driver.run(said, call.context).await?;
        answer(run.outcome(), run.messages().last())
    }
}

fn answer(outcome: Option<RunOutcome>, last: Option<&Message>) -> Result<ToolOutput> {
    match outcome {
        Some(RunOutcome::Finished { .. }) => Ok(ToolOutput::new(
            last.map(|message| vec![edge_ai_core::ContentPart::text(said(message))])
                .unwrap_or_default(),
        )),
        Some(RunOutcome::Waiting { .. }) => Err(asks()),
        Some(RunOutcome::Failed { error }) => Err(error.into_error()),
        Some(RunOutcome::Stopped { limit }) => {
            let message = format!("the agent has stopped at its limit of {limit}: give it a smaller task");
            Err(Error::new(ErrorKind::QuotaExceeded, message))
        }
        Some(RunOutcome::Blocked { reason }) => Err(Error::new(ErrorKind::ContentFiltered, reason)),
        Some(RunOutcome::Canceled) | None => {
            Err(Error::new(ErrorKind::Cancelled, "the agent's run was stopped"))
        }
    }
}

/// A message's text, or that of the result with which a tool [was the end](super::AgentBuilder::stop_after).
fn said(message: &Message) -> String {
    let texts = message.content.iter().map(|part| match part {
        edge_ai_core::ContentPart::ToolResult(result) => result.text(),
        part => part.as_text().unwrap_or_default().to_owned(),
    });
    texts.collect()
}

fn asks() -> Error {
    let message = "the agent needs a person's approval, and cannot ask for it here";
    Error::new(ErrorKind::Unsupported, message).with_code("approval_needed")
}
