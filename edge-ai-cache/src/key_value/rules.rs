use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result};

/// [Workers KV's limits](https://developers.cloudflare.com/kv/platform/limits/), which every store keeps to.
const MAX_KEY: usize = 512;
const MAX_VALUE: usize = 25 << 20;

/// Checks a key against the rules of [`KeyValue`](edge_ai_core::KeyValue).
pub(super) fn check_key(key: &str) -> Result<()> {
    let problem = match key {
        "" => "is empty",
        "." | ".." => "is a reserved name",
        _ if key.len() > MAX_KEY => "is over 512 bytes",
        _ => return Ok(()),
    };
    Err(Error::invalid("key", format!("the key {problem}")))
}

/// Checks a value against the rules.
pub(super) fn check_value(value: &Bytes) -> Result<()> {
    if value.len() > MAX_VALUE {
        return Err(Error::new(ErrorKind::TooLarge, "the value is over 25 MiB").with_param("value"));
    }
    Ok(())
}
