//! The application as its configuration last said, and how a change of that is taken up.

use std::borrow::Cow;
use std::sync::Arc;

use edge_ai::cache::{MemoryKeyValue, WorkersKv};
use edge_ai::core::{Background, KeyValue};
use edge_ai::runtime::{EnvExt, Level, WaitUntil, WorkerClock, log};
use edge_ai::{EdgeAi, Live, Result, Standing};
use worker::{Context, Env};

use crate::build;

static EDGE: Live<EdgeAi> = Live::new();

/// Where in the store the document is.
const KEY: &str = "gateway";

/// What serves every request of the isolate, until the configuration changes.
pub(crate) async fn edge(env: &Env, context: &Context) -> Result<Arc<EdgeAi>> {
    let Some(edge) = EDGE.current() else {
        look(env).await?;
        return EDGE.value();
    };
    if EDGE.is_due(&WorkerClock) {
        let env = env.clone();
        WaitUntil::new(context).run(Box::pin(async move {
            if let Err(error) = look(&env).await {
                log(
                    Level::Error,
                    &format!("the configuration was not looked at: {error}"),
                );
            }
        }));
    }
    Ok(edge)
}

/// Takes up what has changed, and tells of what was refused.
async fn look(env: &Env) -> Result<()> {
    let make = |config: &_, before: Option<&_>| build(env, config, before);
    EDGE.look(&WorkerClock, &*store(env)?, KEY, &bundled(env), make)
        .await;
    match EDGE.standing() {
        Standing::Refused(error) => log(Level::Error, &format!("the configuration was refused: {error}")),
        Standing::Unreachable(error) => {
            log(
                Level::Warn,
                &format!("the configuration could not be read: {error}"),
            );
        }
        _ => {}
    }
    Ok(())
}

/// Where documents are published; without the binding, nowhere.
fn store(env: &Env) -> Result<Box<dyn KeyValue>> {
    if env.has("CONFIG") {
        Ok(Box::new(WorkersKv::from_env(env, "CONFIG")?))
    } else {
        Ok(Box::new(MemoryKeyValue::new(WorkerClock)))
    }
}

/// The document that serves when none is published.
fn bundled(env: &Env) -> Cow<'static, str> {
    match env.text("GATEWAY_CONFIG") {
        Some(document) => Cow::Owned(document),
        None => Cow::Borrowed(include_str!("../gateway.toml")),
    }
}
