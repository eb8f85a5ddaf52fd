use edge_ai_core::{Error, Result, Row, SqlValue, Statement, Timestamp};

use super::{DocumentRow, Entry, Manifest, entry};
use crate::{DocumentId, Namespace};

/// A consumer's hold on a document: every write says who it is and what it works on, and does nothing when either has changed.
#[derive(Clone, Debug)]
pub(in crate::index) struct Fence {
    pub(in crate::index) namespace: Namespace,
    pub(in crate::index) document: DocumentId,
    pub(in crate::index) token: String,
    pub(in crate::index) generation: u64,
}

/// Why a consumer stops.
#[derive(Debug)]
pub(in crate::index) enum Stop {
    /// The document has another generation by now, or another consumer.
    Moved,
    /// Something failed. What was asked for may still happen when `unsettled`.
    Failed { error: Error, unsettled: bool },
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed {
            error,
            unsettled: false,
        }
    }
}

/// What came of asking for a document.
#[derive(Debug)]
pub(in crate::index) enum Taken {
    /// It is the consumer's.
    Yes(Box<Entry>),
    /// There is nothing to do.
    Nothing,
    /// Somebody else has it, or it rests, until then.
    Until(Timestamp),
}

/// Whether the consumer still has the document: the condition of its statements, with `?1` to `?4` as [`Fence::values`] gives them.
pub(super) const HELD: &str = "EXISTS (SELECT 1 FROM rag_documents d WHERE d.namespace = ?1 AND d.id = ?2 AND d.lease = ?3 AND d.generation = ?4)";

impl Fence {
    /// `?1` to `?4`, and what comes after.
    pub(super) fn values(&self, more: impl IntoIterator<Item = SqlValue>) -> Vec<SqlValue> {
        let own = [
            self.namespace.as_str().into(),
            self.document.as_str().into(),
            self.token.as_str().into(),
            self.generation.into(),
        ];
        own.into_iter().chain(more).collect()
    }

    pub(super) fn statement(
        &self,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        more: impl IntoIterator<Item = SqlValue>,
    ) -> Statement {
        Statement::new(sql, self.values(more))
    }
}

impl Manifest {
    /// Asks for a document for whoever has this token.
    pub(in crate::index) async fn take(
        &self,
        namespace: &Namespace,
        document: &DocumentId,
        token: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Taken> {
        let take = Statement::new(
            "UPDATE rag_documents SET lease = ?3, lease_until = ?4, touched = ?5 \
             WHERE namespace = ?1 AND id = ?2 AND settled < generation AND lease_until <= ?5 AND retry_at <= ?5 RETURNING generation",
            [
                namespace.as_str().into(),
                document.as_str().into(),
                token.into(),
                until.as_millis().into(),
                now.as_millis().into(),
            ],
        );
        let [documents, jobs] = entry(namespace, document);
        let mut rows = self.database.batch(vec![take, documents, jobs]).await?;
        let mut jobs = rows.pop();
        let mut documents = rows.pop();
        let taken = rows.pop().is_some_and(|rows| !rows.is_empty());
        let found = Entry::read(documents.as_mut(), jobs.as_mut())?;
        Ok(match found {
            Some(entry) if taken => Taken::Yes(Box::new(entry)),
            Some(entry) if entry.document.settled < entry.document.generation => {
                let DocumentRow {
                    lease_until,
                    retry_at,
                    ..
                } = entry.document;
                Taken::Until(Timestamp::from_millis(lease_until.max(retry_at)))
            }
            _ => Taken::Nothing,
        })
    }

    /// The document again, if it is still this consumer's.
    pub(in crate::index) async fn still(&self, fence: &Fence) -> Result<Option<Entry>> {
        let found = self.entry(&fence.namespace, &fence.document).await?;
        Ok(found.filter(|entry| {
            entry.document.lease.as_deref() == Some(&fence.token)
                && entry.document.settled < entry.document.generation
        }))
    }

    /// Runs statements in one transaction that holds the document until `until`; not any of them when the consumer does not have it any more.
    pub(super) async fn held(
        &self,
        fence: &Fence,
        now: Timestamp,
        until: Timestamp,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Result<Vec<Vec<Row>>, Stop> {
        let hold = fence.statement(
            "UPDATE rag_documents SET lease_until = ?5, touched = ?6 WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4 \
             RETURNING generation",
            [until.as_millis().into(), now.as_millis().into()],
        );
        let all = std::iter::once(hold).chain(statements).collect();
        let mut rows = self.database.batch(all).await?.into_iter();
        if rows.next().is_none_or(|held| held.is_empty()) {
            return Err(Stop::Moved);
        }
        Ok(rows.collect())
    }

    /// Holds the document until `until`.
    pub(in crate::index) async fn hold(
        &self,
        fence: &Fence,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Stop> {
        self.held(fence, now, until, []).await.map(drop)
    }

    /// Lets the document go; nobody takes it before `quiet`, nor before `retry_at`. Whoever has lost it lets nothing go.
    pub(in crate::index) async fn release(
        &self,
        fence: &Fence,
        quiet: Timestamp,
        retry_at: Timestamp,
    ) -> Result<()> {
        let statement = Statement::new(
            "UPDATE rag_documents SET lease = NULL, lease_until = ?4, \
             retry_at = CASE WHEN generation = ?6 THEN ?5 ELSE retry_at END WHERE namespace = ?1 AND id = ?2 AND lease = ?3",
            [
                fence.namespace.as_str().into(),
                fence.document.as_str().into(),
                fence.token.as_str().into(),
                quiet.as_millis().into(),
                retry_at.as_millis().into(),
                fence.generation.into(),
            ],
        );
        self.database.query(statement).await.map(drop)
    }

    /// Keeps what an attempt failed of; the job with it when it is given up.
    pub(in crate::index) async fn note_failure(
        &self,
        fence: &Fence,
        error: &str,
        attempts: u32,
        given_up: bool,
        now: Timestamp,
    ) -> Result<()> {
        let statement = fence.statement(
            format!(
                "UPDATE rag_jobs SET error = ?5, attempts = ?6, updated = ?7, state = ?8, step = NULL \
                 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND state <> 'failed' AND {HELD}"
            ),
            [
                error.into(),
                u64::from(attempts).into(),
                now.as_millis().into(),
                if given_up { "failed" } else { "queued" }.into(),
            ],
        );
        self.database.query(statement).await.map(drop)
    }

    /// Moves a document on to another generation in the middle of its job, so that what was written for the old one is cleaned up as such.
    pub(in crate::index) async fn renumber(&self, fence: &Fence, generation: u64) -> Result<()> {
        let job = fence.statement(
            format!(
                "UPDATE rag_jobs SET generation = ?5, planned = 0, done = 0, total = 0 \
                 WHERE namespace = ?1 AND document = ?2 AND generation = ?4 AND {HELD}"
            ),
            [generation.into()],
        );
        let document = fence.statement(
            "UPDATE rag_documents SET generation = ?5 WHERE namespace = ?1 AND id = ?2 AND lease = ?3 AND generation = ?4",
            [generation.into()],
        );
        self.database.batch(vec![job, document]).await.map(drop)
    }
}
