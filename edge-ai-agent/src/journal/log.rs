use edge_ai_core::{Result, SqlValue, Statement, read_row};
use serde::Deserialize;

use super::{Journal, rows};
use crate::RunEvent;

/// The most bytes to which events are added to a row.
const BLOCK: usize = 256 << 10;

// Somebody else who writes the same log makes `count` NULL, which fails the batch.
const APPEND: &str =
    "INSERT INTO agent_events (thread, turn, block, first, count, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (thread, turn, block) DO UPDATE SET body = body || excluded.body,
    count = CASE WHEN first + count = ?7 THEN count + excluded.count END";

/// Where the next event of a turn goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogEnd {
    block: u64,
    first: u64,
    pub(super) next: u64,
    size: usize,
}

#[derive(Deserialize)]
struct Block {
    block: u64,
    first: u64,
    count: u64,
    size: usize,
}

#[derive(Deserialize)]
struct Body {
    first: u64,
    body: String,
}

impl LogEnd {
    pub(super) async fn load(journal: &Journal, turn: u64) -> Result<Self> {
        let sql = "SELECT block, first, count, LENGTH(body) AS size FROM agent_events WHERE thread = ?1 AND turn = ?2
                   ORDER BY block DESC LIMIT 1";
        let values = [journal.thread.as_ref().into(), turn.into()];
        let Some(row) = journal.database.query(Statement::new(sql, values)).await?.pop() else {
            return Ok(Self::default());
        };
        let Block {
            block,
            first,
            count,
            size,
        } = read_row(row)?;
        let next = first + count;
        Ok(Self {
            block,
            first,
            next,
            size,
        })
    }

    /// The statements that add events, and where the log ends then. A batch that fails leaves the log as it was.
    pub(super) fn append(
        self,
        journal: &Journal,
        turn: u64,
        events: &[RunEvent],
    ) -> Result<(Vec<Statement>, Self)> {
        let mut statements = Vec::new();
        let (mut end, mut body, mut count) = (self, String::new(), 0);
        for event in events {
            let line = rows::to_json(event)?;
            if end.size + body.len() > 0 && end.size + body.len() + line.len() > BLOCK {
                statements.extend(end.add(
                    journal,
                    turn,
                    std::mem::take(&mut body),
                    std::mem::take(&mut count),
                ));
                end = Self {
                    block: end.block + 1,
                    first: end.next,
                    next: end.next,
                    size: 0,
                };
            }
            body.push_str(&line);
            body.push('\n');
            count += 1;
        }
        statements.extend(end.add(journal, turn, body, count));
        Ok((statements, end))
    }

    /// Adds lines to the block at the end.
    fn add(&mut self, journal: &Journal, turn: u64, body: String, count: u64) -> Option<Statement> {
        if count == 0 {
            return None;
        }
        let expected = self.next;
        self.next += count;
        self.size += body.len();
        let values = [
            SqlValue::from(journal.thread.as_ref()),
            turn.into(),
            self.block.into(),
            self.first.into(),
            count.into(),
            body.into(),
            expected.into(),
        ];
        Some(Statement::new(APPEND, values))
    }
}

/// Reads a turn's events.
#[derive(Clone, Debug)]
pub(crate) struct LogReader {
    journal: Journal,
    pub(crate) turn: u64,
}

impl LogReader {
    pub(super) const fn new(journal: Journal, turn: u64) -> Self {
        Self { journal, turn }
    }

    /// Some of the events from a number on, none when there are no more yet.
    pub(crate) async fn read(&self, from: u64) -> Result<Vec<(u64, RunEvent)>> {
        let sql =
            "SELECT first, body FROM agent_events WHERE thread = ?1 AND turn = ?2 AND first + count > ?3
                   ORDER BY block LIMIT 1";
        let values = [self.journal.thread.as_ref().into(), self.turn.into(), from.into()];
        let Some(row) = self
            .journal
            .database
            .query(Statement::new(sql, values))
            .await?
            .pop()
        else {
            return Ok(Vec::new());
        };
        let Body { first, body } = read_row(row)?;
        let lines = body.lines().zip(first..).filter(|(_, at)| *at >= from);
        lines.map(|(line, at)| Ok((at, rows::from_json(line)?))).collect()
    }
}
