//! What is kept of a conversation: its messages, the run that is under way, and what watchers have been told.

mod log;
mod messages;
mod rows;
mod turn;

use std::sync::Arc;

use edge_ai_core::{Database, Result, Statement};

pub(crate) use log::LogReader;
pub(crate) use turn::{Opened, Turn, unreadable};

/// A conversation in a database: a Durable Object's own, D1, or SQLite.
///
/// Every step of a run is one batch: what has happened and what watchers hear of it, together or not at all. A batch is written before anybody acts on it
/// or hears of it. When a turn is over its messages are kept, its journal goes, and the last turn's events stay until the next turn begins, for watchers
/// that come back late.
#[derive(Clone, Debug)]
pub struct Journal {
    database: Arc<dyn Database>,
    thread: Arc<str>,
}

impl Journal {
    /// The tables; every conversation of a database shares them.
    ///
    /// No row comes near the [2 MB](https://developers.cloudflare.com/durable-objects/platform/limits/) that a Durable Object and D1 allow: long values are
    /// several rows.
    pub const MIGRATION: &str = "
CREATE TABLE IF NOT EXISTS agent_messages (
    thread TEXT NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (thread, seq, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agent_turns (
    thread TEXT NOT NULL, turn INTEGER NOT NULL, run TEXT NOT NULL, said TEXT NOT NULL, state TEXT NOT NULL, format INTEGER NOT NULL,
    messages INTEGER NOT NULL, outcome TEXT,
    PRIMARY KEY (thread, turn)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agent_journal (
    thread TEXT NOT NULL, turn INTEGER NOT NULL, entry INTEGER NOT NULL, part INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (thread, turn, entry, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS agent_events (
    thread TEXT NOT NULL, turn INTEGER NOT NULL, block INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (thread, turn, block)
) WITHOUT ROWID;
";

    /// The conversation of a name; whoever serves several tenants puts the tenant into the name.
    pub fn new(database: Arc<dyn Database>, thread: impl Into<Arc<str>>) -> Self {
        Self {
            database,
            thread: thread.into(),
        }
    }

    /// Forgets the conversation.
    ///
    /// # Errors
    /// The database's.
    pub async fn clear(&self) -> Result<()> {
        let tables = ["agent_messages", "agent_turns", "agent_journal", "agent_events"];
        let all = tables.map(|table| {
            let sql = format!("DELETE FROM {table} WHERE thread = ?1");
            Statement::new(sql, [self.thread.as_ref().into()])
        });
        self.database.batch(all.into()).await?;
        Ok(())
    }
}
