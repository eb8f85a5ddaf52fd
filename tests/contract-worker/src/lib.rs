//! The contract suites inside workerd: `GET /` names the cases, `POST /run/NAME` runs one.

mod http_server;
mod object;
mod subjects;
mod suite;

use std::sync::Arc;

pub use edge_ai_gateway::LimitOffice;
pub use edge_ai_rag::VectorObject;
use edge_ai_testkit::Outcome;
use edge_ai_worker::WaitUntil;
pub use object::ContractObject;
use worker::{Context, Env, Method, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let path = request.path();
    if let Some(path) = path.strip_prefix(http_server::PREFIX) {
        return http_server::serve(path, request).await;
    }
    let origin = request.url()?.origin().ascii_serialization();
    let suite = subjects::all(&env, &origin, Arc::new(WaitUntil::new(&context)));
    match (request.method(), path.strip_prefix("/run/")) {
        (Method::Get, None) if path == "/" => {
            let mut names: Vec<_> = suite.names().into_iter().map(str::to_owned).collect();
            names.extend(object::names(&env).await?);
            Response::from_json(&names)
        }
        (Method::Post, Some(name)) => {
            if let Err(error) = subjects::prepare(&env, name).await {
                return Response::error(format!("there is nothing to test on: {error}"), 500);
            }
            match suite.run(name).await {
                Some(outcome) => answer(outcome),
                None => object::run(&env, name).await,
            }
        }
        _ => Response::error("GET / or POST /run/NAME", 404),
    }
}

fn answer(outcome: Outcome) -> worker::Result<Response> {
    match outcome {
        Outcome::Passed => Response::ok("passed"),
        Outcome::Skipped(reason) => {
            let response = Response::ok("skipped")?;
            response.headers().set("x-skipped", &reason)?;
            Ok(response)
        }
        Outcome::Failed(sentence) => Response::error(sentence, 500),
        _ => Response::error("the case ended in a way that this Worker does not know", 500),
    }
}
