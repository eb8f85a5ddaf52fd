//! The JavaScript of this crate, `bridge.js`, function by function.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, ReadableStream, Request, Response, WebSocket};

#[wasm_bindgen(module = "/src/bridge.js")]
extern "C" {
    #[wasm_bindgen(js_name = requestHead, catch)]
    pub(crate) fn request_head(request: &Request) -> Result<Vec<u8>, JsValue>;

    pub(crate) fn gone(request: &Request) -> Promise;

    #[wasm_bindgen(js_name = responseHead, catch)]
    pub(crate) fn response_head(response: &Response) -> Result<Vec<u8>, JsValue>;

    pub(crate) fn send(head: &str, body: Option<&[u8]>, signal: &AbortSignal) -> Promise;

    #[wasm_bindgen(js_name = respondBytes, catch)]
    pub(crate) fn respond_bytes(head: &str, body: Option<&[u8]>) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = respondStream, catch)]
    pub(crate) fn respond_stream(head: &str, stream: &ReadableStream) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = respondWebSocket, catch)]
    pub(crate) fn respond_web_socket(head: &str, socket: &WebSocket) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = streamOf, catch)]
    pub(crate) fn stream_of(owner: &JsValue) -> Result<Option<ReadableStream>, JsValue>;

    #[wasm_bindgen(js_name = readerOf, catch)]
    pub(crate) fn reader_of(owner: &JsValue) -> Result<Option<JsValue>, JsValue>;

    pub(crate) fn collect(owner: &JsValue, limit: f64, trusted: bool) -> Promise;

    pub(crate) fn read(reader: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = cancelReader)]
    pub(crate) fn cancel_reader(reader: &JsValue);

    #[wasm_bindgen(js_name = cancelBody, catch)]
    pub(crate) fn cancel_body(owner: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = streamFrom)]
    pub(crate) fn stream_from(pull: JsValue, cancel: JsValue) -> ReadableStream;

    pub(crate) fn bytes(value: JsValue) -> Option<Vec<u8>>;

    #[wasm_bindgen(catch)]
    pub(crate) fn stringify(value: &JsValue) -> Result<Option<Vec<u8>>, JsValue>;

    #[wasm_bindgen(js_name = signRs256)]
    pub(crate) fn sign_rs256(pkcs8: &[u8], message: &[u8]) -> Promise;

    #[wasm_bindgen(js_name = randomU64)]
    pub(crate) fn random_u64() -> u64;

    #[wasm_bindgen(js_name = aesGcm)]
    pub(crate) fn aes_gcm(seal: bool, key: &[u8], nonce: &[u8], data: &[u8], bytes: &[u8]) -> Promise;

    pub(crate) fn verify(algorithm: &str, jwk: &str, signature: &[u8], message: &[u8]) -> Promise;

    pub(crate) type Timer;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new(milliseconds: i32) -> Timer;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn elapsed(this: &Timer) -> Promise;

    #[wasm_bindgen(method)]
    pub(crate) fn clear(this: &Timer);

    #[derive(Debug)]
    pub(crate) type Socket;

    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn of(socket: &WebSocket, limit: f64) -> Result<Socket, JsValue>;

    #[wasm_bindgen(js_name = socketOf, catch)]
    pub(crate) fn socket_of(response: &Response, limit: f64) -> Result<Option<Socket>, JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn ready(this: &Socket) -> Promise;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn code(this: &Socket) -> u16;

    #[wasm_bindgen(method)]
    pub(crate) fn take(this: &Socket) -> Vec<u8>;

    #[wasm_bindgen(method, js_name = sendText, catch)]
    pub(crate) fn send_text(this: &Socket, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = sendBytes, catch)]
    pub(crate) fn send_bytes(this: &Socket, bytes: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &Socket, code: u16, reason: &str);

    pub(crate) fn explain(thrown: &JsValue) -> String;

    #[wasm_bindgen(js_name = aiRun)]
    pub(crate) fn ai_run(
        ai: &JsValue,
        model: &str,
        inputs: &str,
        options: &str,
        signal: &AbortSignal,
    ) -> Promise;

    #[wasm_bindgen(js_name = aiToMarkdown)]
    pub(crate) fn ai_to_markdown(ai: &JsValue, name: &str, media_type: &str, bytes: &[u8]) -> Promise;

    #[wasm_bindgen(js_name = aiMarkdownSupported)]
    pub(crate) fn ai_markdown_supported(ai: &JsValue) -> Promise;

    pub(crate) fn vectorize(index: &JsValue, operation: &str, args: &str) -> Promise;

    #[wasm_bindgen(js_name = sqlBatch, catch)]
    pub(crate) fn sql_batch(storage: &JsValue, statements: &str) -> Result<Vec<u8>, JsValue>;

    #[wasm_bindgen(js_name = sqlTransaction, catch)]
    pub(crate) fn sql_transaction(storage: &JsValue, body: &mut dyn FnMut() -> bool) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = bindingType, catch)]
    pub(crate) fn binding_type(env: &JsValue, name: &str) -> Result<String, JsValue>;
}

/// The text that JavaScript encoded as UTF-8. What a string could not say in it (half a surrogate pair) was replaced there.
pub(crate) fn text(utf8: Vec<u8>) -> String {
    String::from_utf8(utf8).unwrap_or_default()
}
