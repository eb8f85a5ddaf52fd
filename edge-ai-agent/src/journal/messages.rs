use edge_ai_core::{ContentPart, Error, ErrorKind, Result, Role, Row, SqlValue, Statement, read_row};
use serde::Deserialize;

use super::{Journal, rows};
use crate::AgentMessage;

/// The most bytes of history that a run takes up, and the most messages: a long conversation never fills an object's memory.
const WINDOW_BYTES: u64 = 1 << 20;
const WINDOW_MESSAGES: u64 = 1_000;

const INSERT: &str = "INSERT INTO agent_messages (thread, seq, part, body) VALUES (?1, ?2, ?3, ?4)";

#[derive(Deserialize)]
struct Size {
    seq: u64,
    size: u64,
}

impl Journal {
    /// The newest messages, oldest first, as many as fit in a megabyte, at most a thousand; with `before`, those before the message of that number. Each with its
    /// number.
    ///
    /// # Errors
    /// The database's.
    pub async fn messages(&self, before: Option<u64>) -> Result<Vec<(u64, AgentMessage)>> {
        let end = before.unwrap_or(1 << 52);
        let first = self.window(end).await?;
        self.messages_between(first, end).await
    }

    /// The messages of numbers from `first` to before `end`.
    pub(super) async fn messages_between(&self, first: u64, end: u64) -> Result<Vec<(u64, AgentMessage)>> {
        let sql = "SELECT seq AS key, body FROM agent_messages WHERE thread = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq, part";
        let values = [self.thread.as_ref().into(), first.into(), end.into()];
        rows::read(self.database.query(Statement::new(sql, values)).await?)
    }

    /// The number from which messages before `end` fit.
    pub(super) async fn window(&self, end: u64) -> Result<u64> {
        let sql = "SELECT seq, SUM(LENGTH(body)) AS size FROM agent_messages WHERE thread = ?1 AND seq < ?2
                   GROUP BY seq ORDER BY seq DESC LIMIT ?3";
        let values = [self.thread.as_ref().into(), end.into(), WINDOW_MESSAGES.into()];
        let (mut first, mut taken) = (end, 0);
        for row in self.database.query(Statement::new(sql, values)).await? {
            let Size { seq, size } = read_row::<Size>(row)?;
            taken += size;
            if taken > WINDOW_BYTES && first != end {
                break;
            }
            first = seq;
        }
        Ok(first)
    }

    pub(super) fn insert_messages(&self, first: u64, messages: &[AgentMessage]) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        for (message, seq) in messages.iter().zip(first..) {
            let keys = [SqlValue::from(self.thread.as_ref()), seq.into()];
            statements.extend(rows::insert(INSERT, &keys, message)?);
        }
        Ok(statements)
    }
}

/// What a person may say: no instructions, no answers and no results in the model's or a tool's name.
pub(super) fn check_said(said: &[AgentMessage]) -> Result<()> {
    if said.is_empty() {
        return Err(Error::invalid("messages", "there is no message to answer"));
    }
    for (at, message) in said.iter().enumerate() {
        if message.message.role != Role::User {
            let text = format!(
                "a turn begins with the user's messages, not with one of {}",
                message.message.role.as_str()
            );
            return Err(Error::invalid(format!("messages[{at}].role"), text));
        }
        let forged = |part: &ContentPart| {
            matches!(
                part,
                ContentPart::ToolCall(_) | ContentPart::ToolResult(_) | ContentPart::Reasoning(_)
            )
        };
        if let Some(part) = message.message.content.iter().position(forged) {
            let text = "a user's message has no calls, results or thoughts: those are the run's";
            return Err(Error::invalid(format!("messages[{at}].content[{part}]"), text));
        }
        if message.id.is_empty() {
            return Err(Error::invalid(
                format!("messages[{at}].id"),
                "the message has no id",
            ));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Number {
    number: Option<u64>,
}

/// The number in the only row.
pub(super) fn number(rows: Vec<Row>) -> Result<u64> {
    let row = rows.into_iter().next();
    let row = row.ok_or_else(|| Error::new(ErrorKind::Internal, "the database gave no row"))?;
    Ok(read_row::<Number>(row)?.number.unwrap_or_default())
}
