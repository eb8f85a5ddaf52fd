use std::sync::OnceLock;

use edge_ai_core::Result;

/// What is made once and then serves every request of an isolate: limiters and memory caches live in it.
///
/// An isolate is one running copy of a Worker; Cloudflare starts and ends them as it sees fit. A value that cannot be made is tried again
/// with the next request.
///
/// ```
/// use edge_ai::PerIsolate;
///
/// static ANSWER: PerIsolate<u32> = PerIsolate::new();
/// assert_eq!(*ANSWER.get_or_try_init(|| Ok(42))?, 42);
/// assert_eq!(*ANSWER.get_or_try_init(|| Ok(7))?, 42);
/// # Ok::<(), edge_ai::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct PerIsolate<T>(OnceLock<T>);

impl<T> PerIsolate<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value; the first call makes it.
    ///
    /// # Errors
    /// What `make` returns. Nothing is kept then.
    pub fn get_or_try_init(&self, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = make()?;
        Ok(self.0.get_or_init(|| value))
    }
}
