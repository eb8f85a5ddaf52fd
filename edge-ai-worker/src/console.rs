use wasm_bindgen::prelude::*;

/// How much a line matters: the console method that takes it, which is its level in Workers Logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// For whoever looks for a defect.
    Debug,
    /// Normal operation.
    Info,
    /// Odd, but served.
    Warn,
    /// Failed.
    Error,
}

/// Writes one line to the console. Workers Logs indexes the fields of a line that is a JSON object.
pub fn log(level: Level, line: &str) {
    match level {
        Level::Debug => debug(line),
        Level::Info => info(line),
        Level::Warn => warn(line),
        Level::Error => error(line),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn debug(line: &str);

    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn info(line: &str);

    #[wasm_bindgen(js_namespace = console)]
    fn warn(line: &str);

    #[wasm_bindgen(js_namespace = console)]
    fn error(line: &str);
}
