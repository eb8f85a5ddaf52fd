//! Listening, and the path of one request: read, note, bend by faults, answer.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::app::App;
use crate::banner::banner;
use crate::call::Call;
use crate::config::Config;
use crate::control;
use crate::embedder::Embedder;
use crate::fault::{self, Instead, Plan, Subject, directive};
use crate::journal::{Record, Ticket};
use crate::openai::realtime;
use crate::reply::send::{Head, send};
use crate::reply::{Frame, Payload, Reply, script};
use crate::route::{self, Target};
use crate::surface::Surface;

/// Largest body read: what Vectorize takes in one upload.
const BODY_LIMIT: usize = 100 * 1024 * 1024;

/// A stand-in bound to its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

impl Server {
    /// Binds to 127.0.0.1; never to another address.
    ///
    /// # Errors
    /// The port is taken or may not be bound; [`InvalidInput`](io::ErrorKind::InvalidInput) for a model that does not load.
    pub async fn bind(config: Config) -> io::Result<Self> {
        let embedder =
            Embedder::of(&config).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(config, format!("http://{address}"), embedder));
        Ok(Self {
            listener,
            address,
            app,
        })
    }

    /// Address bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Address as a URL, such as `http://127.0.0.1:9900`.
    #[must_use]
    pub fn url(&self) -> String {
        self.app.base.clone()
    }

    /// What it is, what its answers are, and where to reach it: the text at `GET /`.
    #[must_use]
    pub fn banner(&self) -> String {
        banner(&self.app)
    }

    /// The one line on standard output that tells the program which started this one where to reach it.
    #[must_use]
    pub fn ready_line(&self) -> String {
        serde_json::json!({ "ready": self.app.base }).to_string()
    }

    /// Serves until `stop` completes; answers under way are then broken off.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> io::Result<()> {
        let router = Router::new().fallback(handle).with_state(self.app);
        let listener = self.listener.tap_io(|stream| {
            // Without it small frames of a stream wait for each other.
            let _ = stream.set_nodelay(true);
        });
        tokio::select! {
            served = axum::serve(listener, router).into_future() => served,
            () = stop => Ok(()),
        }
    }
}

async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    let routed = route::resolve(&parts.method, &parts.uri, parts.headers);
    let body = to_bytes(body, BODY_LIMIT).await;
    let (surface, path) = match &routed.target {
        Target::Surface { surface, path, .. } => (*surface, path.as_str()),
        other => {
            return untracked(control::answer(
                &app,
                other,
                &parts.method,
                body.as_deref().unwrap_or_default(),
            ));
        }
    };
    let Ok(body) = body else {
        return untracked(surface.refusal(413, "Request body is too large: over 100 MiB."));
    };
    let opens = upgrade.filter(|_| surface == Surface::OpenAi && realtime::is_at(path));
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let (ticket, plan, number) = begin(
        &app,
        (surface, path),
        parts.method.as_str(),
        &routed.headers,
        &body,
        json.as_ref(),
    );
    let plan = match plan {
        Ok(plan) => plan,
        Err(mistake) => {
            return finish(
                surface.refusal(400, &mistake),
                &Plan::default(),
                surface,
                ticket,
                None,
            );
        }
    };
    if let Some(latency) = plan.latency {
        tokio::time::sleep(latency).await;
    }
    if plan.hang {
        ticket.broken();
        std::future::pending::<()>().await;
    }
    let call = Call {
        app: &app,
        number,
        method: &parts.method,
        path,
        query: &routed.query,
        headers: &routed.headers,
        body: &body,
        json: json.as_ref(),
        index: routed.index(),
        binding: routed.binding.as_deref(),
    };
    let mut reply = match (bent(surface, &plan), opens) {
        (Some(bent), _) => bent,
        (None, None) => surface.answer(&call),
        (None, Some(upgrade)) => match realtime::admit(&call) {
            Ok(model) => return realtime::open(upgrade, number, model, ticket),
            Err(error) => error.into(),
        },
    };
    reply
        .headers
        .splice(0..0, surface.headers(number, app.clock.unix_ms()));
    let pace = app
        .config
        .tokens_per_second
        .and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
    finish(reply, &plan, surface, ticket, pace)
}

/// Notes the request and finds the fault that it meets.
fn begin(
    app: &App,
    (surface, path): (Surface, &str),
    method: &str,
    headers: &HeaderMap,
    body: &Bytes,
    json: Option<&Value>,
) -> (Ticket, Result<Plan, String>, u64) {
    let text = json.and_then(directive::text_of);
    let model = surface.model_of(path, json.unwrap_or(&Value::Null), headers);
    let subject = Subject {
        surface,
        path,
        model: model.as_deref(),
        text: text.as_deref(),
        body,
    };
    let plan = fault::for_request(&app.faults, headers, &subject);
    let number = app.next_request();
    let mut record = Record::new(number, surface.name());
    record.keep_body(body);
    record.keep_headers(headers);
    record.method = method.to_owned();
    record.path = path.to_owned();
    record.model = model;
    record.stream = path.contains(":stream")
        || json.is_some_and(|body| {
            let body = body.get("inputs").unwrap_or(body);
            body.get("stream") == Some(&Value::Bool(true))
        });
    record.at_ms = app.clock.unix_ms();
    record.fault = plan
        .as_ref()
        .ok()
        .map(|plan| plan.spec.clone())
        .filter(|spec| !spec.is_empty());
    (app.journal.begin(record), plan, number)
}

/// The answer that a fault puts in place of the good one.
fn bent(surface: Surface, plan: &Plan) -> Option<Reply> {
    let mut reply = match (plan.status, plan.instead) {
        (Some(status), _) => surface.error(status, plan.code.as_deref()),
        (None, Some(Instead::Empty)) => Reply::text(""),
        (None, Some(Instead::WrongType)) => {
            let mut reply =
                Reply::text("<!doctype html><title>Just a moment</title><p>This is not an API answer.</p>");
            if let Payload::Whole { content_type, .. } = &mut reply.payload {
                *content_type = "text/html";
            }
            reply
        }
        (None, Some(Instead::WrongShape)) => Reply::json(&serde_json::json!({ "unexpected": [1, 2, 3] })),
        (None, None) => return None,
    };
    if let Some(seconds) = plan.retry_after {
        reply = surface
            .with_retry(reply, seconds)
            .with_header("retry-after", seconds.to_string());
    }
    if let Some(ms) = plan.retry_after_ms {
        reply = reply.with_header("retry-after-ms", ms.to_string());
    }
    Some(reply)
}

fn finish(reply: Reply, plan: &Plan, surface: Surface, ticket: Ticket, pace: Option<Duration>) -> Response {
    let Reply {
        mut status,
        headers,
        payload,
    } = reply;
    let (content_type, content_length, steps) = match payload {
        Payload::Frames(frames) => (
            frames.first().map_or("text/event-stream", Frame::media_type),
            None,
            script::of_frames(&frames, plan, surface, pace),
        ),
        Payload::Whole { content_type, bytes } => {
            let (bytes, content_type) =
                match (plan.error_event, surface.error(500, plan.code.as_deref()).payload) {
                    (Some(_), Payload::Whole { bytes, content_type }) => {
                        status = 200;
                        (bytes, content_type)
                    }
                    _ => (bytes, content_type),
                };
            let steps = script::of_whole(&bytes, plan);
            // A body broken off keeps the length it promised; one that ends early promises what it has.
            let promised = match steps.as_slice() {
                [script::Step::Send(only)] => only.len(),
                _ => bytes.len(),
            };
            (content_type, Some(promised), steps)
        }
    };
    ticket.status(status);
    send(
        Head {
            status,
            content_type,
            content_length,
            headers,
        },
        steps,
        ticket,
    )
}

fn untracked(reply: Reply) -> Response {
    finish(
        reply,
        &Plan::default(),
        Surface::OpenAi,
        Ticket::untracked(),
        None,
    )
}
