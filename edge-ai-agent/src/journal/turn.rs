use edge_ai_core::{Error, ErrorKind, Message, Result, Row, SqlValue, Statement, Timestamp, read_row};
use serde::{Deserialize, Serialize};

use super::log::LogEnd;
use super::messages::{check_said, number};
use super::{Journal, LogReader, rows};
use crate::run::{Run, RunInput, RunPlan, TimedInput};
use crate::{AgentMessage, RunEvent, RunOutcome, ToolContext};

/// What the journal's entries mean. A change of what follows from an input makes it another number.
const FORMAT: u64 = 1;

const INSERT: &str =
    "INSERT INTO agent_journal (thread, turn, entry, part, body) VALUES (?1, ?2, ?3, ?4, ?5)";
// A turn that is over already makes `state` NULL, which fails the batch.
const END: &str = "UPDATE agent_turns SET outcome = ?3, state = CASE WHEN state = 'open' THEN 'ended' END WHERE thread = ?1 AND turn = ?2";

/// The first entry of a turn's journal.
#[derive(Serialize, Deserialize)]
struct Opening {
    plan: RunPlan,
    context: ToolContext,
    /// The numbers of the messages that the run has read.
    first: u64,
    said: u64,
}

#[derive(Deserialize)]
struct TurnRow {
    turn: u64,
    run: String,
    said: String,
    state: String,
    format: u64,
    messages: u64,
    outcome: Option<String>,
}

/// A turn under way: the run, and where its next entry and events go.
#[derive(Debug)]
pub(crate) struct Turn {
    journal: Journal,
    turn: u64,
    entry: u64,
    /// The number of the next message.
    messages: u64,
    log: LogEnd,
}

/// The conversation's last turn.
pub(crate) enum Opened {
    /// There is nothing to go on with.
    Nothing,
    /// It goes on.
    Run(Box<Run>, Turn),
    /// Another version has written it, in a way that this one does not read.
    Unreadable(Turn),
}

impl Journal {
    /// Begins a turn, unless the last turn began with the same message: then that is it.
    pub(crate) async fn begin(
        &self,
        run: &str,
        plan: RunPlan,
        context: ToolContext,
        said: Vec<AgentMessage>,
        now: Timestamp,
    ) -> Result<(String, u64, Vec<RunEvent>)> {
        check_said(&said)?;
        let key = said.last().map(|message| message.id.clone()).unwrap_or_default();
        let last = self.last_turn().await?;
        if let Some(last) = last.as_ref().filter(|last| last.said == key) {
            return Ok((last.run.clone(), last.turn, Vec::new()));
        }
        refuse_open(last.as_ref())?;
        let turn = last.map_or(1, |last| last.turn + 1);
        let sql = "SELECT MAX(seq) + 1 AS number FROM agent_messages WHERE thread = ?1";
        let next = self
            .database
            .query(Statement::new(sql, [self.thread.as_ref().into()]))
            .await?;
        let next = number(next)?.max(1);
        let first = self.window(next).await?;
        let before = messages_of(self.messages_between(first, next).await?);
        let count = said.len() as u64;
        let said_messages = said.iter().map(|message| message.message.clone()).collect();
        let mut state = Run::new(run, plan.clone(), context.clone(), before, said_messages);
        let begin = TimedInput::new(now, RunInput::Begin);
        let events = state.advance(begin.clone())?;

        let thread = SqlValue::from(self.thread.as_ref());
        let sql = "INSERT INTO agent_turns (thread, turn, run, said, state, format, messages) VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6)";
        let messages = next + count;
        let values = [
            thread.clone(),
            turn.into(),
            run.into(),
            key.into(),
            FORMAT.into(),
            messages.into(),
        ];
        let mut batch = vec![Statement::new(sql, values)];
        batch.extend(self.insert_messages(next, &said)?);
        let opening = Opening {
            plan,
            context,
            first,
            said: count,
        };
        batch.extend(rows::insert(
            INSERT,
            &[thread.clone(), turn.into(), 0_u64.into()],
            &opening,
        )?);
        batch.extend(rows::insert(
            INSERT,
            &[thread.clone(), turn.into(), 1_u64.into()],
            &[begin],
        )?);
        let old = "DELETE FROM agent_events WHERE thread = ?1 AND turn < ?2";
        batch.push(Statement::new(old, [thread, turn.into()]));
        let (append, _) = LogEnd::default().append(self, turn, &events)?;
        batch.extend(append);
        self.database.batch(batch).await?;
        Ok((run.to_owned(), turn, events))
    }

    /// The run that is not over.
    pub(crate) async fn open(&self) -> Result<Opened> {
        let Some(row) = self.last_turn().await?.filter(|row| row.state == "open") else {
            return Ok(Opened::Nothing);
        };
        let log = LogEnd::load(self, row.turn).await?;
        let mut turn = Turn {
            journal: self.clone(),
            turn: row.turn,
            entry: 0,
            messages: row.messages,
            log,
        };
        if row.format != FORMAT {
            return Ok(Opened::Unreadable(turn));
        }
        let values = [SqlValue::from(self.thread.as_ref()), row.turn.into()];
        let first = "SELECT entry AS key, body FROM agent_journal WHERE thread = ?1 AND turn = ?2 AND entry = 0 ORDER BY part";
        let rest = "SELECT entry AS key, body FROM agent_journal WHERE thread = ?1 AND turn = ?2 AND entry > 0 ORDER BY entry, part";
        let mut found = self
            .database
            .batch(vec![
                Statement::new(first, values.clone()),
                Statement::new(rest, values),
            ])
            .await?
            .into_iter();
        let opening = rows::read::<Opening>(found.next().unwrap_or_default());
        let entries = rows::read::<Vec<TimedInput>>(found.next().unwrap_or_default());
        let (Ok(opening), Ok(entries)) = (opening, entries) else {
            return Ok(Opened::Unreadable(turn));
        };
        let Some((_, opening)) = opening.into_iter().next() else {
            return Ok(Opened::Unreadable(turn));
        };
        let mut before = messages_of(self.messages_between(opening.first, row.messages).await?);
        let said = before.split_off(
            before
                .len()
                .saturating_sub(usize::try_from(opening.said).unwrap_or(0)),
        );
        let mut run = Run::new(row.run, opening.plan, opening.context, before, said);
        for (entry, inputs) in entries {
            turn.entry = entry;
            for input in inputs {
                if run.advance(input).is_err() {
                    return Ok(Opened::Unreadable(turn));
                }
            }
        }
        turn.entry += 1;
        Ok(Opened::Run(Box::new(run), turn))
    }

    /// Forgets the messages from a number on, for a person who asks again or in other words; the next turn may begin with a message that has been there.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with the code `run_active` while a turn is not over; the database's.
    pub async fn rewind(&self, from: u64) -> Result<()> {
        refuse_open(self.last_turn().await?.as_ref())?;
        let thread = SqlValue::from(self.thread.as_ref());
        let messages = "DELETE FROM agent_messages WHERE thread = ?1 AND seq >= ?2";
        let said = "UPDATE agent_turns SET said = '' WHERE thread = ?1";
        let batch = vec![
            Statement::new(messages, [thread.clone(), from.into()]),
            Statement::new(said, [thread]),
        ];
        self.database.batch(batch).await?;
        Ok(())
    }

    /// How the last turn ended; `None` while it is not over, and when it was not read.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_outcome(&self) -> Result<Option<RunOutcome>> {
        let last = self.last_turn().await?;
        let outcome = last.and_then(|last| last.outcome);
        outcome.map(|outcome| rows::from_json(&outcome)).transpose()
    }

    /// The events of the last turn.
    pub(crate) async fn log(&self) -> Result<Option<LogReader>> {
        let last = self.last_turn().await?;
        Ok(last.map(|last| LogReader::new(self.clone(), last.turn)))
    }

    async fn last_turn(&self) -> Result<Option<TurnRow>> {
        let sql = "SELECT turn, run, said, state, format, messages, outcome FROM agent_turns WHERE thread = ?1 ORDER BY turn DESC LIMIT 1";
        let row: Option<Row> = self
            .database
            .query(Statement::new(sql, [self.thread.as_ref().into()]))
            .await?
            .pop();
        row.map(read_row).transpose()
    }
}

impl Turn {
    pub(crate) const fn number(&self) -> u64 {
        self.turn
    }

    /// The last event that watchers have heard.
    pub(crate) async fn last_event(&self) -> Result<Option<RunEvent>> {
        let Some(last) = self.log.next.checked_sub(1) else {
            return Ok(None);
        };
        let log = LogReader::new(self.journal.clone(), self.turn);
        Ok(log.read(last).await?.pop().map(|(_, event)| event))
    }

    /// The number of the next event.
    pub(crate) const fn next_event(&self) -> u64 {
        self.log.next
    }

    /// Keeps what has happened and what watchers hear of it.
    pub(crate) async fn write(&mut self, inputs: &[TimedInput], events: &[RunEvent]) -> Result<()> {
        let thread = SqlValue::from(self.journal.thread.as_ref());
        let mut batch = Vec::new();
        if !inputs.is_empty() {
            batch = rows::insert(INSERT, &[thread, self.turn.into(), self.entry.into()], &inputs)?;
        }
        let (append, log) = self.log.append(&self.journal, self.turn, events)?;
        batch.extend(append);
        if batch.is_empty() {
            return Ok(());
        }
        self.journal.database.batch(batch).await?;
        self.entry += u64::from(!inputs.is_empty());
        self.log = log;
        Ok(())
    }

    /// Keeps the turn's messages, how it ended, and the last events; the journal goes.
    pub(crate) async fn finish(&mut self, run: &Run, events: &[RunEvent], now: Timestamp) -> Result<()> {
        let messages: Vec<_> = run
            .messages()
            .iter()
            .enumerate()
            .map(|(at, message)| kept(run, at, message, now))
            .collect();
        let outcome = rows::to_json(&run.outcome())?;
        self.end(&messages, &outcome, events).await
    }

    /// Ends a turn that cannot be read; its journal stays, for whoever looks into it.
    pub(crate) async fn abandon(&mut self, events: &[RunEvent]) -> Result<()> {
        let values = [
            SqlValue::from(self.journal.thread.as_ref()),
            self.turn.into(),
            SqlValue::Null,
        ];
        let mut batch = vec![Statement::new(END, values)];
        let (append, log) = self.log.append(&self.journal, self.turn, events)?;
        batch.extend(append);
        self.journal.database.batch(batch).await?;
        self.log = log;
        Ok(())
    }

    async fn end(&mut self, messages: &[AgentMessage], outcome: &str, events: &[RunEvent]) -> Result<()> {
        let thread = SqlValue::from(self.journal.thread.as_ref());
        let values = [thread.clone(), self.turn.into(), outcome.into()];
        let mut batch = vec![Statement::new(END, values)];
        batch.extend(self.journal.insert_messages(self.messages, messages)?);
        let journal = "DELETE FROM agent_journal WHERE thread = ?1 AND turn = ?2";
        batch.push(Statement::new(journal, [thread, self.turn.into()]));
        let (append, log) = self.log.append(&self.journal, self.turn, events)?;
        batch.extend(append);
        self.journal.database.batch(batch).await?;
        self.log = log;
        Ok(())
    }
}

fn refuse_open(last: Option<&TurnRow>) -> Result<()> {
    if last.is_some_and(|last| last.state == "open") {
        let message = "the last turn is not over: wait for it, answer its questions or cancel it";
        let error = Error::invalid("run", message).with_code("run_active");
        return Err(error.with_status(409));
    }
    Ok(())
}

fn kept(run: &Run, at: usize, message: &Message, now: Timestamp) -> AgentMessage {
    let id = match at {
        0 => run.message_id().to_owned(),
        _ => format!("{}.{at}", run.message_id()),
    };
    let mut kept = AgentMessage::new(id, message.clone(), now);
    kept.run = Some(run.id().to_owned());
    kept
}

fn messages_of(messages: Vec<(u64, AgentMessage)>) -> Vec<Message> {
    messages.into_iter().map(|(_, message)| message.message).collect()
}

/// What a journal that is not read means for the run.
pub(crate) fn unreadable() -> Error {
    let message = "another version of the agent has begun this turn, and this one would go on in another way: ask again";
    Error::new(ErrorKind::Configuration, message).with_code("journal_outdated")
}
