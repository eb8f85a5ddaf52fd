use edge_ai_core::{Error, ErrorKind, Result};
use wasm_bindgen::JsValue;

use crate::bridge;
use crate::error::js_error;

/// JSON text as a JavaScript value, by `JSON.parse`: objects are objects, never a `Map`, and one string crosses.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] when the text is not JSON.
pub fn json_to_js(text: &str) -> Result<JsValue> {
    js_sys::JSON::parse(text).map_err(|thrown| js_error(ErrorKind::InvalidRequest, &thrown))
}

/// A JavaScript value as JSON text, by `JSON.stringify`.
///
/// # Errors
/// [`ErrorKind::Internal`] for what JSON cannot hold: `undefined`, functions, cycles, big integers.
pub fn js_to_json(value: &JsValue) -> Result<String> {
    bridge::stringify(value)
        .map_err(|thrown| js_error(ErrorKind::Internal, &thrown))?
        .map(bridge::text)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the value has no JSON form"))
}
