//! The implementations, with what their suites must know.

mod caches;
mod databases;
mod index;
mod limits;
mod models;
mod paces;
mod parsers;
mod vectors;

use std::sync::Arc;

use edge_ai_core::{Background, Entropy, Result};
use edge_ai_testkit::contract::http_client::{self, HttpClientSubject};
use edge_ai_worker::{FetchClient, WorkerEntropy};
use worker::{Env, State};

use crate::http_server;
use crate::suite::Suite;

/// Everything there is to run; `origin` is the Worker's own address, and `background` what runs behind the answer.
pub(crate) fn all<'a>(env: &'a Env, origin: &str, background: Arc<dyn Background>) -> Suite<'a> {
    let mut suite = Suite::default();
    vectors::add(&mut suite, env);
    databases::add(&mut suite, env);
    caches::add(&mut suite, env);
    limits::add(&mut suite, env, background);
    paces::add(&mut suite, env);
    index::add(&mut suite, env);
    models::add(&mut suite, env);
    parsers::add(&mut suite, env);
    let server = format!("{origin}{}", http_server::PREFIX);
    suite.add("http_client/fetch", http_client::cases(), move || {
        // The discard port: nobody listens, and the runtime lets a request go there.
        Ok(HttpClientSubject::new(FetchClient, server.clone()).with_unreachable("http://127.0.0.1:9/"))
    });
    suite
}

/// What there is to run within an object.
pub(crate) fn within<'a>(suite: &mut Suite<'a>, state: &'a State) {
    databases::within(suite, state);
}

/// Makes ready what a case needs outside of the Worker.
pub(crate) async fn prepare(env: &Env, case: &str) -> Result<()> {
    if case.starts_with("vector_store/vectorize") {
        vectors::declare_index(env).await
    } else if case.starts_with("keyword_store/fts5_d1") {
        databases::migrate(env).await
    } else {
        Ok(())
    }
}

/// A text of one run alone, since stores outlive a run.
fn run_id() -> String {
    format!("{:016x}", WorkerEntropy.next_u64())
}
