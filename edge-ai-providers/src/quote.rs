/// The most characters of a body that is not the vendor's own that go into a message.
const MAX_QUOTE: usize = 200;

/// The beginning of a body; empty when it says nothing.
pub(crate) fn quote(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.trim().chars().take(MAX_QUOTE).collect()
}

/// What is said of an error whose body is not the vendor's own: the beginning of the body, or that there was none.
pub(crate) fn quote_or_status(status: u16, body: &[u8]) -> String {
    let quote = quote(body);
    if quote.is_empty() {
        format!("status {status} without a body")
    } else {
        quote
    }
}
