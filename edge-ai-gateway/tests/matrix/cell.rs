//! One feature between a client and a provider, whole and streamed.

use std::sync::Arc;

use edge_ai_core::{Bytes, Inline, ManualClock, SeededEntropy, SseDecoder, Timestamp};
use edge_ai_gateway::{Caller, Gateway};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use futures_util::StreamExt;
use serde_json::Value;

use crate::ask::{Ask, Item};
use crate::column::Column;
use crate::dialect::{Client, Server};
use crate::feature::Feature;
use crate::told::{SIGNATURE, Told};

/// What becomes of a feature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// It is there.
    Kept,
    /// The client is told which field cannot be had.
    Refused(String),
    /// It is not there, and nobody is told.
    Lost(String),
    /// The vendor's API has nothing of the kind to tell.
    Nothing(&'static str),
}

struct Exchange {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
    asked: Vec<Value>,
}

/// What becomes of a feature; `None` where the client's dialect has no words for it.
pub(crate) fn cell(feature: Feature, client: &dyn Client, column: &Column) -> Option<Cell> {
    let ask = Ask::of(feature);
    let body = client.request(feature, &ask)?;
    if let Some(why) = column.server.lacks(feature) {
        return Some(Cell::Nothing(why));
    }
    let ways = feature.ways().iter();
    // Where one way is worse than the other, it is that which counts.
    ways.map(|stream| way(feature, client, column, &ask, &body, *stream))
        .max()
}

fn way(
    feature: Feature,
    client: &dyn Client,
    column: &Column,
    ask: &Ask,
    body: &Value,
    stream: bool,
) -> Cell {
    match feature {
        Feature::Error(status) => return error(status, client, column, body, stream),
        Feature::ErrorInStream | Feature::CutStream => return broken(feature, client, column, body),
        Feature::Cancellation => return left(client, column, body),
        _ => {}
    }
    let told = Told::of(feature);
    let exchange = exchange(client, column, body, stream, told.clone());
    if exchange.status != 200 {
        return refusal(client, &exchange);
    }
    let arrived = column.server.read(&exchange.asked[0]);
    if let Some(lost) = ask.missing_in(&arrived) {
        return Cell::Lost(lost);
    }
    let (answer, in_pieces) = match heard(client, &exchange, stream) {
        Ok(heard) => heard,
        Err(error) => return Cell::Lost(error),
    };
    if feature == Feature::Stream && !in_pieces {
        return Cell::Lost(String::from("the text came at once"));
    }
    if let Some(lost) = told.missing_in(&client.hear(&answer)) {
        return Cell::Lost(lost);
    }
    if feature == Feature::SignedThoughts {
        return signed(client, column, &client.go_on(body, &answer), stream);
    }
    Cell::Kept
}

/// Whether the thoughts of an answer come back to their vendor with their signature.
fn signed(client: &dyn Client, column: &Column, body: &Value, stream: bool) -> Cell {
    let exchange = exchange(client, column, body, stream, Told::of(Feature::Chat));
    if exchange.status != 200 {
        return refusal(client, &exchange);
    }
    let items = column.server.read(&exchange.asked[0]).items;
    let is_signed = |item: &Item| matches!(item, Item::Thought { signature: Some(signature), .. } if signature == SIGNATURE);
    let at = items.iter().position(is_signed);
    match at.and_then(|at| items.get(at + 1..)).unwrap_or_default() {
        [Item::Call(_), Item::Result { text, .. }] if text == "21 degrees" => Cell::Kept,
        _ => Cell::Lost(format!("the vendor gets back {items:?}")),
    }
}

/// An error before the answer has the vendor's status and words, in the client's shape, and when to ask again.
fn error(status: u16, client: &dyn Client, column: &Column, body: &Value, stream: bool) -> Cell {
    let answer = ScriptedResponse::json(status, &column.server.error(status)).header("retry-after", "7");
    let exchange = exchange_with(client, column, body, stream, move |_| answer.clone());
    let error: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    // What is the gateway's own matter with its vendor is not the client's fault.
    let told = exchange.status == status || (status == 401 && exchange.status >= 500);
    // What is wrong with the request is said in the vendor's words; the rest is between the gateway and its vendor.
    let words = error["error"]["message"].as_str().unwrap_or_default();
    let said = status != 400 || words.contains("the vendor's words");
    if !told || !said || !client.is_error(exchange.status, &error) {
        return Cell::Lost(format!("status {} and {error}", exchange.status));
    }
    if status == 429
        && exchange
            .headers
            .get("retry-after")
            .is_none_or(|seconds| seconds != "7")
    {
        return Cell::Lost(format!("retry-after: {:?}", exchange.headers));
    }
    Cell::Kept
}

/// An answer that breaks off is an error to the client, never a short success.
fn broken(feature: Feature, client: &dyn Client, column: &Column, body: &Value) -> Cell {
    let mut pieces = beginning(column);
    if feature == Feature::ErrorInStream {
        pieces.push(column.server.error_event());
    }
    let answer = ScriptedResponse::new(200)
        .header("content-type", column.server.media_type())
        .pieces(pieces);
    let exchange = exchange_with(client, column, body, true, move |_| answer.clone());
    match heard(client, &exchange, true) {
        Ok(_) => Cell::Lost(String::from("the answer looks complete")),
        Err(error) if error.starts_with("no ") => Cell::Lost(error),
        Err(_) => Cell::Kept,
    }
}

/// The first half of a stream, with text in it.
fn beginning(column: &Column) -> Vec<Bytes> {
    let mut pieces = column.server.stream(&Told::of(Feature::Stream));
    pieces.truncate(pieces.len().div_ceil(2));
    pieces
}

/// When the client leaves in the middle of an answer, the vendor's is let go.
fn left(client: &dyn Client, column: &Column, body: &Value) -> Cell {
    let pieces = beginning(column);
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let answer = ScriptedResponse::new(200)
        .header("content-type", column.server.media_type())
        .pieces(pieces)
        .hang_after(length);
    let http = ScriptedHttpClient::new().respond(answer);
    let gateway = gateway(column, &http);
    let response =
        block_on(gateway.handle(request(client, column, body, true), Caller::new(Arc::new(Inline))));
    let mut events = response.into_body().into_stream();
    let first = block_on(events.next());
    let before = http.in_flight().count();
    drop(events);
    match (first, before, http.in_flight().count()) {
        (Some(Ok(_)), 1, 0) => Cell::Kept,
        other => Cell::Lost(format!("first event, and exchanges before and after: {other:?}")),
    }
}

fn refusal(client: &dyn Client, exchange: &Exchange) -> Cell {
    let error: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    match client.field(&error) {
        Some(field) if exchange.status == 400 && exchange.asked.is_empty() => Cell::Refused(field),
        _ => Cell::Lost(format!("status {} without a field: {error}", exchange.status)),
    }
}

/// What the vendor answers to a request that asks for a stream, or does not: what it is asked is not always what the client asks.
fn answer(server: &dyn Server, told: &Told, request: &http::Request<Bytes>) -> ScriptedResponse {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let path = request.uri().path().to_ascii_lowercase();
    if body["stream"] != true && !path.contains("stream") {
        return ScriptedResponse::json(200, &server.answer(told));
    }
    let head = ScriptedResponse::new(200).header("content-type", server.media_type());
    // Wherever the network cuts it.
    head.body(server.stream(told).concat()).cut_every(7)
}

fn heard(client: &dyn Client, exchange: &Exchange, stream: bool) -> Result<(Value, bool), String> {
    if !stream {
        return Ok((serde_json::from_slice(&exchange.body).unwrap(), false));
    }
    let events = SseDecoder::new().push(exchange.body.clone().into()).unwrap();
    let texts = events.iter().map(|event| event.data.as_str());
    let json = texts.filter(|text| !text.is_empty() && *text != "[DONE]");
    let values: Vec<_> = json.map(|text| serde_json::from_str(text).unwrap()).collect();
    client.collect(&values)
}

fn gateway(column: &Column, http: &ScriptedHttpClient) -> Gateway {
    let clock = ManualClock::jumping(Timestamp::from_millis(1_764_000_000_000));
    let builder = Gateway::builder(clock, SeededEntropy::new(1));
    column.add_to(builder, Arc::new(http.clone())).build().unwrap()
}

fn request(
    client: &dyn Client,
    column: &Column,
    body: &Value,
    stream: bool,
) -> http::Request<edge_ai_core::Body> {
    let mut body = body.clone();
    body["model"] = column.model.clone().into();
    if stream {
        body["stream"] = true.into();
        if client.path().ends_with("completions") {
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
    }
    http::Request::post(client.path())
        .body(body.to_string().into())
        .unwrap()
}

fn exchange(client: &dyn Client, column: &Column, body: &Value, stream: bool, told: Told) -> Exchange {
    let server = column.server;
    exchange_with(client, column, body, stream, move |request| {
        answer(server, &told, request)
    })
}

fn exchange_with(
    client: &dyn Client,
    column: &Column,
    body: &Value,
    stream: bool,
    answer: impl Fn(&http::Request<Bytes>) -> ScriptedResponse + Send + Sync + 'static,
) -> Exchange {
    let http = ScriptedHttpClient::from_fn(move |request| Ok(answer(request)));
    let gateway = gateway(column, &http);
    let (head, body) = block_on(async {
        let request = request(client, column, body, stream);
        let response = gateway.handle(request, Caller::new(Arc::new(Inline))).await;
        let (head, body) = response.into_parts();
        (head, body.bytes(1 << 20).await.unwrap())
    });
    let requests = http.requests();
    Exchange {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_vec(),
        asked: requests
            .iter()
            .map(|request| serde_json::from_slice(request.body()).unwrap())
            .collect(),
    }
}
