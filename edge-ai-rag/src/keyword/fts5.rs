mod filter;
mod tables;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use edge_ai_core::{
    Database, Error, KeywordMatch, KeywordQuery, KeywordRecord, KeywordStore, Result, SqlValue, Statement,
    async_trait, read_row,
};
use serde::Deserialize;

use tables::Tables;
pub use tables::Tokenizer;
use words::match_expression;

/// A title's word counts this much more than one of the text.
const TITLE_WEIGHT: f64 = 1.5;
/// The ids of one statement.
const IDS_PER_STATEMENT: usize = 5_000;

/// A keyword store in SQLite's [FTS5](https://sqlite.org/fts5.html): in D1, in a Durable Object's own database, in SQLite anywhere.
///
/// Scores are those of FTS5's `bm25()`, with its fixed `k1` of 1.2 and `b` of 0.75; a word that a question repeats counts as often, English
/// stop words are left out unless there is nothing else, and a title's word counts one and a half times. On CISI that gives
/// nDCG@10 of 0.386, where `bm25s` with `k1` 0.9, `b` 0.4 and an English stemmer gives 0.373. How rare a word is, and how long a text usually is, is
/// counted over the whole table: namespaces that must not influence each other's ranking at all need databases of their own.
///
/// Its tables are made by [`MIGRATION`](Self::MIGRATION), or [`TRIGRAM_MIGRATION`](Self::TRIGRAM_MIGRATION) for [`Tokenizer::Trigram`]; a
/// database can have both.
///
/// D1 cannot export a database with an FTS5 table
/// ([import and export](https://developers.cloudflare.com/d1/best-practices/import-export-data/)). The texts lie in an ordinary table, so export that
/// and the other tables, by `wrangler d1 export --table keyword_records`; in the database they are brought to, run the migration, and then
/// `INSERT INTO keyword_index (keyword_index) VALUES ('rebuild')`.
///
/// ```
/// use edge_ai_core::{KeywordQuery, KeywordRecord, KeywordStore};
/// use edge_ai_rag::Fts5Store;
/// use edge_ai_testkit::sqlite::Sqlite;
///
/// # futures_executor::block_on(async {
/// let store = Fts5Store::new(Sqlite::new(&[Fts5Store::MIGRATION]));
/// store.upsert(vec![KeywordRecord::new("1", "The pump stops with error E-4031.")]).await?;
/// assert_eq!(store.search(KeywordQuery::new("why do pumps stop?")).await?[0].id, "1");
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Fts5Store {
    database: Arc<dyn Database>,
    tokenizer: Tokenizer,
}

impl Fts5Store {
    /// Makes the tables for [`Tokenizer::Porter`].
    pub const MIGRATION: &str = tables::PORTER;
    /// Makes the tables for [`Tokenizer::Trigram`].
    pub const TRIGRAM_MIGRATION: &str = tables::TRIGRAM;

    /// A store of words, by [`Tokenizer::Porter`].
    pub fn new(database: impl Database) -> Self {
        Self {
            database: Arc::new(database),
            tokenizer: Tokenizer::Porter,
        }
    }

    /// Takes texts apart in another way; its tables are others.
    #[must_use]
    pub fn tokenizer(self, tokenizer: Tokenizer) -> Self {
        Self { tokenizer, ..self }
    }

    /// Runs statements over one array, all or none.
    async fn write<const N: usize>(&self, statements: [String; N], array: &str) -> Result<()> {
        let statements = statements.map(|sql| Statement::new(sql, vec![array.into()]));
        self.database.batch(statements.into()).await?;
        Ok(())
    }

    const fn tables(&self) -> Tables {
        Tables::of(self.tokenizer)
    }
}

#[async_trait]
impl KeywordStore for Fts5Store {
    async fn upsert(&self, records: Vec<KeywordRecord>) -> Result<()> {
        let tables = self.tables();
        for group in tables::groups(&records)? {
            self.write(tables.put(), &group).await?;
        }
        Ok(())
    }

    async fn search(&self, query: KeywordQuery) -> Result<Vec<KeywordMatch>> {
        if query.top_k == 0 {
            return Err(Error::invalid("top_k", "a query asks for at least one match"));
        }
        let conditions = filter::conditions(&query.filter)?;
        let Some(expression) = match_expression(&query, self.tokenizer) else {
            return Ok(Vec::new());
        };
        let mut values = vec![
            SqlValue::Text(expression),
            SqlValue::from(query.top_k as u64),
            query.namespace.into(),
        ];
        values.extend(conditions.values);
        let sql = self.tables().search(TITLE_WEIGHT, &conditions.sql);
        let rows = self.database.query(Statement::new(sql, values)).await?;
        rows.into_iter().map(read_row).collect()
    }

    async fn delete(&self, ids: &[String]) -> Result<()> {
        let tables = self.tables();
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::Value::from(ids).to_string();
            self.write(tables.delete(), &ids).await?;
        }
        Ok(())
    }

    async fn count(&self) -> Result<u64> {
        #[derive(Deserialize)]
        struct Counted {
            count: u64,
        }
        let rows = self
            .database
            .query(Statement::new(self.tables().count(), []))
            .await?;
        let counted: Option<Counted> = rows.into_iter().next().map(read_row).transpose()?;
        Ok(counted.map_or(0, |counted| counted.count))
    }
}
