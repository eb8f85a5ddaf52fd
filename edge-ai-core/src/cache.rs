use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Keeps bytes under a key for a while, and may forget them at any time.
///
/// What may be forgotten belongs here; what must be found again belongs in a [`KeyValue`](crate::KeyValue) store.
#[async_trait]
pub trait Cache: fmt::Debug + Send + Sync + 'static {
    /// The value under `key`, unless it is unknown, expired or forgotten.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store behind it fails. Callers treat that as a miss.
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>>;

    /// Keeps `value` for `ttl`, replacing what was there.
    ///
    /// A reader that starts after it returns sees the new value or, in an eventually consistent store, the old one or
    /// none for a stated while, but never a mix. A store with a coarser clock rounds `ttl` up. A zero `ttl` keeps nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store fails,
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) when the value is over the store's limit.
    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()>;

    /// Forgets `key`; an unknown key is fine.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store fails.
    async fn delete(&self, key: &CacheKey) -> Result<()>;
}

/// The name of a cached value: short, printable, and safe in a URL path.
///
/// Keys are made from digests ([`CacheKey::from_digest`]), so that prompts and secrets do not show in them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CacheKey(Arc<str>);

impl CacheKey {
    /// A key for a digest, under a prefix that says what is kept: `chat-<hex>`.
    ///
    /// Of the prefix, ASCII letters, digits, `-`, `_` and `.` stay; any other character becomes `-`.
    pub fn from_digest(prefix: &str, digest: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut key = String::with_capacity(prefix.len() + 1 + digest.len() * 2);
        key.extend(prefix.chars().map(|char| match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => char,
            _ => '-',
        }));
        key.push('-');
        for byte in digest {
            for nibble in [byte >> 4, byte & 15] {
                key.push(HEX.get(usize::from(nibble)).copied().map_or('0', char::from));
            }
        }
        Self(key.into())
    }

    /// The key's text: ASCII letters, digits, `-`, `_` and `.`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[async_trait]
impl<T: Cache + ?Sized> Cache for Arc<T> {
    async fn get(&self, key: &CacheKey) -> Result<Option<Bytes>> {
        (**self).get(key).await
    }

    async fn put(&self, key: &CacheKey, value: Bytes, ttl: Duration) -> Result<()> {
        (**self).put(key, value, ttl).await
    }

    async fn delete(&self, key: &CacheKey) -> Result<()> {
        (**self).delete(key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hex_under_a_prefix() {
        assert_eq!(
            CacheKey::from_digest("chat", &[0, 0x1f, 0xff]).as_str(),
            "chat-001fff"
        );
    }

    #[test]
    fn a_prefix_cannot_leave_a_url_path() {
        let key = |prefix| CacheKey::from_digest(prefix, &[7]);
        assert_eq!(key("v1.chat_a-B").as_str(), "v1.chat_a-B-07");
        assert_eq!(key("../a?b#c%2f é\n").as_str(), "..-a-b-c-2f----07");
        assert_eq!(key("..").as_str(), "..-07");
        assert_eq!(key("").as_str(), "-07");
    }
}
