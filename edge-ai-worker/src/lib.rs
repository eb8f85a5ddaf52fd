#![doc = include_str!("../README.md")]

// JavaScript values are `Send` only because a Worker has one thread; with shared memory it would have several.
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!(
    "edge-ai-worker rests on WebAssembly without threads: build without the target feature `atomics`"
);

mod ai;
mod body;
mod bridge;
mod clock;
mod console;
#[cfg(feature = "d1")]
mod d1;
mod entropy;
mod env;
mod error;
mod exchange;
mod fetch;
mod gone;
mod head;
mod json;
mod object_database;
mod request;
mod response;
mod sign;
mod vectorize;
mod wait_until;
mod web_crypto;
mod web_socket;

pub use ai::{AiBinding, AiMarkdown, AiMarkdownFormat, AiOutput};
pub use body::{body_from_js, body_to_js};
pub use clock::WorkerClock;
pub use console::{Level, log};
#[cfg(feature = "d1")]
pub use d1::D1;
pub use entropy::WorkerEntropy;
pub use env::EnvExt;
pub use error::{js_error, worker_error};
pub use fetch::FetchClient;
pub use gone::client_gone;
pub use json::{js_to_json, json_to_js};
pub use object_database::ObjectDatabase;
pub use request::request_from_js;
pub use response::response_to_js;
pub use sign::sign_rs256;
pub use vectorize::VectorizeIndex;
pub use wait_until::WaitUntil;
pub use web_crypto::WebCrypto;
pub use web_socket::upgrade;
