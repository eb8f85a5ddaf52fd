use edge_ai_core::{Database, Result, Statement};
use edge_ai_rag::{Fts5Store, Tokenizer};
use edge_ai_testkit::contract::database::{self, DatabaseSubject};
use edge_ai_testkit::contract::keyword_store::{self, KeywordStoreSubject};
use edge_ai_worker::{D1, ObjectDatabase};
use worker::{Env, State};

use super::run_id;
use crate::suite::Suite;

const MIGRATIONS: [&str; 2] = [Fts5Store::MIGRATION, Fts5Store::TRIGRAM_MIGRATION];

pub(super) fn add<'a>(suite: &mut Suite<'a>, env: &'a Env) {
    over(suite, "d1", move || D1::from_env(env, "DB"));
}

/// What runs within an object: the same, on its own database.
pub(crate) fn within<'a>(suite: &mut Suite<'a>, state: &'a State) {
    over(suite, "object", move || {
        let database = ObjectDatabase::new(state);
        database.migrate(&MIGRATIONS)?;
        Ok(database)
    });
}

/// Makes the tables in D1, as `wrangler d1 migrations apply` does.
pub(super) async fn migrate(env: &Env) -> Result<()> {
    let statements = MIGRATIONS
        .iter()
        .flat_map(|migration| migration.split_inclusive(";\n"))
        .map(|statement| Statement::new(statement, []));
    D1::from_env(env, "DB")?
        .batch(statements.collect())
        .await
        .map(drop)
}

fn over<'a, D: Database>(
    suite: &mut Suite<'a>,
    name: &str,
    database: impl Fn() -> Result<D> + Copy + Send + 'a,
) {
    suite.add(&format!("database/{name}"), database::cases(), move || {
        Ok(DatabaseSubject::new(database()?).with_scope(run_id()))
    });
    suite.add(
        &format!("keyword_store/fts5_{name}"),
        keyword_store::cases(),
        move || Ok(KeywordStoreSubject::new(Fts5Store::new(database()?)).with_scope(run_id())),
    );
    suite.add(
        &format!("keyword_store/fts5_{name}_of_trigrams"),
        keyword_store::cases(),
        move || {
            let store = Fts5Store::new(database()?).tokenizer(Tokenizer::Trigram);
            Ok(KeywordStoreSubject::new(store)
                .with_trigrams()
                .with_scope(run_id()))
        },
    );
}
