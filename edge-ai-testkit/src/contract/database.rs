//! The contract of [`Database`].

use std::sync::Arc;

use edge_ai_core::{Database, ErrorKind, Row, SqlValue, Statement, read_row};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fails_with;
use crate::case::{cases, ensure};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A database under test; each case makes a table of its own.
#[derive(Clone, Debug)]
pub struct DatabaseSubject {
    database: Arc<dyn Database>,
    scope: Scope,
}

impl DatabaseSubject {
    /// A database in which tables may be made.
    pub fn new(database: impl Database) -> Self {
        Self {
            database: Arc::new(database),
            scope: Scope::default(),
        }
    }

    /// Names tables by a text of this run alone, for a database that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    /// SQL with the case's own table for `{t}`.
    fn statement(&self, sql: &str, values: impl Into<Vec<SqlValue>>) -> Statement {
        let table = format!("t{}", self.scope.digest(""));
        Statement::new(sql.replace("{t}", &table), values)
    }

    async fn run(&self, sql: &str, values: impl Into<Vec<SqlValue>> + Send) -> Result<Vec<Row>, Stop> {
        let statement = self.statement(sql, values);
        self.database
            .query(statement)
            .await
            .must(&format!("`{sql}` is a good statement"))
    }

    async fn table(&self) -> Check {
        self.run("CREATE TABLE {t} (id INTEGER PRIMARY KEY, name TEXT UNIQUE)", [])
            .await
            .map(drop)
    }

    async fn names(&self) -> Result<Vec<String>, Stop> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let rows = self.run("SELECT name FROM {t} ORDER BY id", []).await?;
        rows.into_iter()
            .map(|row| Ok(read_row::<Named>(row).must("a row has its columns by name")?.name))
            .collect()
    }

    fn insert(&self, name: &str) -> Statement {
        self.statement("INSERT INTO {t} (name) VALUES (?1)", vec![name.into()])
    }
}

impl Subject for DatabaseSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<DatabaseSubject>> {
    cases![
        values_come_back_as_they_went_in,
        whole_numbers_are_exact_below_two_to_the_53,
        rows_have_their_columns_by_name,
        a_batch_gives_the_rows_of_each_statement,
        a_statement_sees_those_before_it,
        of_a_failed_batch_nothing_is_kept,
        values_are_never_sql,
        a_value_may_be_used_twice,
        a_hundred_values_are_taken,
        long_texts_are_kept,
        json_is_taken_apart,
        texts_are_searched_by_their_words,
        a_missing_table_is_a_mistake_of_configuration,
        a_broken_statement_is_an_error,
    ]
}

async fn values_come_back_as_they_went_in(subject: DatabaseSubject) -> Check {
    let values: [(SqlValue, Value); 9] = [
        (SqlValue::Null, Value::Null),
        (SqlValue::Integer(0), json!(0)),
        (SqlValue::Integer(-7), json!(-7)),
        (SqlValue::Real(1.5), json!(1.5)),
        (SqlValue::Real(-2.5e-9), json!(-2.5e-9)),
        ("".into(), json!("")),
        (
            "it's \"odd\" \\ 100% ö 日本 🙂\n".into(),
            json!("it's \"odd\" \\ 100% ö 日本 🙂\n"),
        ),
        ("1".into(), json!("1")),
        (SqlValue::from(true), json!(1)),
    ];
    for (value, expected) in values {
        let rows = subject.run("SELECT ?1 AS value", vec![value.clone()]).await?;
        let found = rows.first().and_then(|row| row.get("value"));
        let same = match (found.and_then(Value::as_f64), expected.as_f64()) {
            (Some(found), Some(expected)) => found == expected,
            _ => found == Some(&expected),
        };
        ensure!(same, "{value:?} comes back as {expected}, not as {found:?}");
    }
    Ok(())
}

async fn whole_numbers_are_exact_below_two_to_the_53(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let most = (1_i64 << 53) - 1;
    for number in [most, -most, 1 << 40] {
        let id = vec![SqlValue::Integer(number)];
        subject
            .run("INSERT INTO {t} (id, name) VALUES (?1, ?1)", id.clone())
            .await?;
        let rows = subject.run("SELECT id FROM {t} WHERE id = ?1", id).await?;
        let found = rows.first().and_then(|row| row.get("id")).and_then(Value::as_i64);
        ensure!(found == Some(number), "{number} comes back, not {found:?}");
    }
    Ok(())
}

async fn rows_have_their_columns_by_name(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let statements = vec![subject.insert("b"), subject.insert("a")];
    subject
        .database
        .batch(statements)
        .await
        .must("rows are inserted")?;
    let rows = subject
        .run("SELECT name AS called, id FROM {t} ORDER BY name", [])
        .await?;
    let expected = [json!({"called": "a", "id": 2}), json!({"called": "b", "id": 1})];
    let found: Vec<Value> = rows.into_iter().map(Value::Object).collect();
    ensure!(
        found == expected,
        "rows are {expected:?} in their order, not {found:?}"
    );
    Ok(())
}

async fn a_batch_gives_the_rows_of_each_statement(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let statements = vec![
        subject.insert("a"),
        subject.statement("INSERT INTO {t} (name) VALUES ('b'), ('c') RETURNING name", []),
        subject.statement("SELECT name FROM {t} WHERE name = 'none'", []),
        subject.statement("SELECT COUNT(*) AS count FROM {t}", []),
    ];
    let rows = subject.database.batch(statements).await.must("a batch runs")?;
    let expected = json!([[], [{"name": "b"}, {"name": "c"}], [], [{"count": 3}]]);
    let found = json!(rows);
    ensure!(found == expected, "a batch gives {expected}, not {found}");
    Ok(())
}

async fn a_statement_sees_those_before_it(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let double = subject.statement("INSERT INTO {t} (name) SELECT name || '2' FROM {t}", []);
    let statements = vec![subject.insert("a"), double.clone(), double];
    let doubled = subject.database.batch(statements).await;
    fails_with(
        doubled,
        ErrorKind::Unavailable,
        "the third statement breaks the second's promise",
    )?;
    let double = subject.statement("INSERT INTO {t} (name) SELECT name || '2' FROM {t}", []);
    let statements = vec![subject.insert("a"), double];
    subject
        .database
        .batch(statements)
        .await
        .must("a batch runs in order")?;
    let names = subject.names().await?;
    ensure!(
        names == ["a", "a2"],
        "the second statement sees the first's row, not {names:?}"
    );
    Ok(())
}

async fn of_a_failed_batch_nothing_is_kept(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    subject
        .database
        .batch(vec![subject.insert("kept")])
        .await
        .must("a row is inserted")?;
    let broken = [
        subject.insert("kept"),
        subject.statement("INSERT INTO {t} (missing) VALUES (1)", []),
        subject.statement("INSERT INTO", []),
    ];
    for broken in broken {
        let statements = vec![
            subject.insert("lost"),
            subject.statement("DELETE FROM {t} WHERE name = 'kept'", []),
            subject.insert("kept"),
            broken,
        ];
        let failed = subject.database.batch(statements).await;
        ensure!(failed.is_err(), "a batch with a broken statement fails");
        let names = subject.names().await?;
        ensure!(
            names == ["kept"],
            "a failed batch changes nothing, but leaves {names:?}"
        );
    }
    Ok(())
}

async fn values_are_never_sql(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let odd = "x'); DROP TABLE {t}; --";
    subject
        .database
        .batch(vec![subject.insert(odd)])
        .await
        .must("a row is inserted")?;
    let names = subject.names().await?;
    ensure!(names == [odd], "a value is kept as it is, not as {names:?}");
    Ok(())
}

async fn a_value_may_be_used_twice(subject: DatabaseSubject) -> Check {
    let values = vec!["a".into(), "b".into()];
    let rows = subject.run("SELECT ?2 || ?1 || ?2 AS text", values).await?;
    let found = json!(rows);
    ensure!(
        found == json!([{"text": "bab"}]),
        "places go by their numbers, not {found}"
    );
    Ok(())
}

async fn a_hundred_values_are_taken(subject: DatabaseSubject) -> Check {
    let places: Vec<_> = (1..=100).map(|place| format!("?{place}")).collect();
    let values: Vec<SqlValue> = (1..=100_u64).map(SqlValue::from).collect();
    let rows = subject
        .run(&format!("SELECT {} AS sum", places.join(" + ")), values)
        .await?;
    let sum = rows.first().and_then(|row| row.get("sum")?.as_f64());
    ensure!(sum == Some(5_050.0), "a hundred values add up, not to {sum:?}");
    Ok(())
}

async fn long_texts_are_kept(subject: DatabaseSubject) -> Check {
    subject.table().await?;
    let long = "0123456789".repeat(100_000);
    subject
        .database
        .batch(vec![subject.insert(&long)])
        .await
        .must("a text of 1 MB is kept")?;
    ensure!(
        subject.names().await? == [long],
        "a text of 1 MB comes back as it was"
    );
    Ok(())
}

async fn json_is_taken_apart(subject: DatabaseSubject) -> Check {
    let list = r#"[{"id":"a","n":{"m":1}},{"id":"b","n":null}]"#;
    let sql = "SELECT value ->> 'id' AS id, json_extract(value, '$.n.m') AS m, json_type(value, '$.n') AS kind FROM json_each(?1)";
    let found = json!(subject.run(sql, vec![list.into()]).await?);
    let expected = json!([{"id": "a", "m": 1, "kind": "object"}, {"id": "b", "m": null, "kind": "null"}]);
    ensure!(found == expected, "JSON gives {expected}, not {found}");
    Ok(())
}

async fn texts_are_searched_by_their_words(subject: DatabaseSubject) -> Check {
    subject
        .run(
            "CREATE VIRTUAL TABLE {t} USING fts5(name, tokenize = 'porter unicode61')",
            [],
        )
        .await?;
    let statements = vec![subject.insert("the pumps"), subject.insert("a valley")];
    subject.database.batch(statements).await.must("texts are kept")?;
    let rows = subject
        .run(
            "SELECT name FROM {t} WHERE {t} MATCH ?1 ORDER BY bm25({t})",
            vec!["pump".into()],
        )
        .await?;
    let found = json!(rows);
    ensure!(
        found == json!([{"name": "the pumps"}]),
        "FTS5 finds the text, not {found}"
    );
    Ok(())
}

async fn a_missing_table_is_a_mistake_of_configuration(subject: DatabaseSubject) -> Check {
    for sql in ["SELECT * FROM {t}", "INSERT INTO {t} (name) VALUES ('a')"] {
        let failed = subject.database.query(subject.statement(sql, [])).await;
        fails_with(
            failed,
            ErrorKind::Configuration,
            "a missing table is named as one",
        )?;
    }
    subject.table().await?;
    let failed = subject
        .database
        .query(subject.statement("SELECT missing FROM {t}", []))
        .await;
    fails_with(
        failed,
        ErrorKind::Configuration,
        "a missing column is named as one",
    )
}

async fn a_broken_statement_is_an_error(subject: DatabaseSubject) -> Check {
    for sql in ["SELEKT 1", "SELECT (", "SELECT 'x"] {
        let failed = subject.database.query(Statement::new(sql, [])).await;
        ensure!(failed.is_err(), "`{sql}` is refused");
    }
    Ok(())
}
