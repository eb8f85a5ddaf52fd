//! A Durable Object in which cases run that are about its own storage.

#![expect(missing_docs, reason = "the macro makes the runtime's methods public")]

use edge_ai_testkit::Outcome;
use worker::send::SendFuture;
use worker::{DurableObject, Env, Method, Request, Response, State, durable_object, wasm_bindgen};

use crate::subjects;
use crate::suite::Suite;

/// The one object's name.
const NAME: &str = "contract";

/// Cases within a Durable Object.
#[durable_object]
#[derive(Debug)]
pub struct ContractObject {
    state: State,
}

impl DurableObject for ContractObject {
    fn new(state: State, _: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let mut suite = Suite::default();
        subjects::within(&mut suite, &self.state);
        if request.method() == Method::Get {
            return Response::from_json(&suite.names());
        }
        let path = request.path();
        let outcome = match path.strip_prefix("/run/") {
            Some(name) => suite.run(name).await,
            None => None,
        };
        crate::answer(outcome.unwrap_or_else(|| Outcome::Failed("no such case".into())))
    }
}

/// The names of its cases.
pub(crate) async fn names(env: &Env) -> worker::Result<Vec<String>> {
    let asked = async { stub(env)?.fetch_with_str("https://object/").await?.json().await };
    SendFuture::new(asked).await
}

/// Runs one of its cases.
pub(crate) async fn run(env: &Env, name: &str) -> worker::Result<Response> {
    let asked = async {
        let request = Request::new(&format!("https://object/run/{name}"), Method::Post)?;
        stub(env)?.fetch_with_request(request).await
    };
    SendFuture::new(asked).await
}

fn stub(env: &Env) -> worker::Result<worker::Stub> {
    env.durable_object("OBJECT")?.get_by_name(NAME)
}
