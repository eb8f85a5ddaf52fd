//! One suite for each trait of `edge-ai-core`: every sentence of its contract that can be checked is a [case](crate::Case).

pub mod cache;
pub mod cache_purge;
pub mod chat_model;
pub mod database;
pub mod embedding_model;
pub mod http_client;
pub mod key_value;
pub mod keyword_store;
pub mod limit_backend;
pub mod rate_limiter;
pub mod reranker;
pub mod vector_store;

use std::time::Duration;

use edge_ai_core::{Clock, Error, ErrorKind};

use crate::case::describe;
use crate::{Check, Stop};

/// Stops unless the call failed with this kind.
fn fails_with<T>(result: Result<T, Error>, kind: ErrorKind, sentence: &str) -> Check {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(Stop::failed(format!(
            "{sentence}: expected {kind}, got {}",
            describe(&error)
        ))),
        Ok(_) => Err(Stop::failed(format!(
            "{sentence}: expected {kind}, but it succeeded"
        ))),
    }
}

/// Sleeps, but not for nothing: a timer of zero still costs a turn of the event loop.
async fn wait(clock: &dyn Clock, time: Duration) {
    if !time.is_zero() {
        clock.sleep(time).await;
    }
}
