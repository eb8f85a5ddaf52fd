use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{Clock, Error, ErrorKind, KeyValue, Result, Timestamp, timeout};

use crate::config::Config;

/// What is made from a [configuration](Config) in Workers KV, and made anew when that changes: without a deploy, within a minute.
///
/// - The first request of an isolate waits for the document; when the store has none, or does not answer, the bundled one serves.
/// - After that no request waits: every 15 seconds at most, one looks at the store after its answer. Workers KV shows a change
///   [within a minute](https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency) elsewhere, and at once where it was written.
/// - A document that does not read, or that nothing can be made from, is refused: what was made before goes on serving, and
///   [`standing`](Self::standing) says what is wrong, with its line.
///
/// ```
/// use std::sync::Arc;
/// use edge_ai::cache::MemoryKeyValue;
/// use edge_ai::core::{KeyValue, ManualClock};
/// use edge_ai::{Live, Standing};
///
/// # futures_executor::block_on(async {
/// static COUNT: Live<usize> = Live::new();
/// let clock = ManualClock::default();
/// let store = MemoryKeyValue::new(clock.clone());
/// let routes = |config: &edge_ai::config::Config, _: Option<&usize>| Ok(config.routes.len());
///
/// let bundled = r#"{"routes": {"smart": "openai/gpt-5"}}"#;
/// assert_eq!(*COUNT.get(&clock, &store, "config", bundled, routes).await?, 1);
///
/// store.put("config", r#"{"routes": {}}"#.into(), None).await?;
/// clock.advance(std::time::Duration::from_secs(15));
/// COUNT.look(&clock, &store, "config", bundled, routes).await;
/// assert_eq!(*COUNT.get(&clock, &store, "config", bundled, routes).await?, 0);
///
/// store.put("config", "{\n  \"rotues\": {}\n}".into(), None).await?;
/// clock.advance(std::time::Duration::from_secs(15));
/// COUNT.look(&clock, &store, "config", bundled, routes).await;
/// assert_eq!(*COUNT.get(&clock, &store, "config", bundled, routes).await?, 0, "the last good one");
/// assert!(matches!(COUNT.standing(), Standing::Refused(error) if error.message().starts_with("line 2")));
/// # Ok::<(), edge_ai::Error>(()) }).unwrap();
/// ```
pub struct Live<T>(Mutex<State<T>>);

/// How a [`Live`] value stands to its document.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing was made yet.
    #[default]
    Empty,
    /// It is made from the document in the store.
    Current,
    /// It is made from the bundled document: the store has none.
    Bundled,
    /// The document in the store was refused; what was made before serves.
    Refused(Error),
    /// The store did not answer; what was made before serves.
    Unreachable(Error),
}

struct State<T> {
    made: Option<Arc<T>>,
    /// The text that it was made from.
    text: String,
    /// The text that was refused last: it is not tried again.
    refused: Option<String>,
    standing: Standing,
    looked: Timestamp,
}

/// The longest document; one that is longer was not meant as one.
const MAX_BYTES: usize = 1 << 20;

/// How long a first request waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);

impl<T: Send + Sync + 'static> Live<T> {
    /// How long it is until the store is looked at again.
    pub const INTERVAL: Duration = Duration::from_secs(15);

    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State {
            made: None,
            text: String::new(),
            refused: None,
            standing: Standing::Empty,
            looked: Timestamp::from_millis(0),
        }))
    }

    /// The value; the first call makes it, from the document under `key` or else from `bundled`. `make` is given what it made before.
    ///
    /// # Errors
    /// When neither document makes one; the next call tries again.
    pub async fn get(
        &self,
        clock: &dyn Clock,
        store: &dyn KeyValue,
        key: &str,
        bundled: &str,
        make: impl Fn(&Config, Option<&T>) -> Result<T> + Send + Sync,
    ) -> Result<Arc<T>> {
        if let Some(made) = self.current() {
            return Ok(made);
        }
        self.look(clock, store, key, bundled, &make).await;
        self.value()
    }

    /// The value.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&self) -> Result<Arc<T>> {
        match (self.current(), self.standing()) {
            (Some(made), _) => Ok(made),
            (None, Standing::Refused(error) | Standing::Unreachable(error)) => Err(error),
            (None, _) => Err(Error::new(
                ErrorKind::Internal,
                "nothing was made from the configuration yet",
            )),
        }
    }

    /// The value, if it was made already.
    pub fn current(&self) -> Option<Arc<T>> {
        self.with(|state| state.made.clone())
    }

    /// Whether it is time to [look](Self::look) again. It says so to one caller: who is told, looks, after its answer.
    pub fn is_due(&self, clock: &dyn Clock) -> bool {
        self.with(|state| {
            let now = clock.now();
            let due = state.made.is_some() && now.since(state.looked) >= Self::INTERVAL;
            if due {
                state.looked = now;
            }
            due
        })
    }

    /// Looks at the store now and takes up what has changed.
    pub async fn look(
        &self,
        clock: &dyn Clock,
        store: &dyn KeyValue,
        key: &str,
        bundled: &str,
        make: impl Fn(&Config, Option<&T>) -> Result<T> + Send + Sync,
    ) {
        self.with(|state| state.looked = clock.now());
        let (text, found) = match timeout(clock, PATIENCE, store.get(key)).await {
            Ok(Some(bytes)) => match document(&bytes) {
                Ok(text) => (text, Standing::Current),
                Err(error) => return self.refuse(String::new(), error, bundled, make),
            },
            Ok(None) => (bundled.to_owned(), Standing::Bundled),
            Err(error) if self.current().is_some() => {
                return self.with(|state| state.standing = Standing::Unreachable(error));
            }
            Err(error) => (bundled.to_owned(), Standing::Unreachable(error)),
        };
        if self.is_known(&text) {
            return;
        }
        match self.make(&text, &make) {
            Ok(made) => self.with(|state| {
                state.made = Some(Arc::new(made));
                state.text = text;
                state.refused = None;
                state.standing = found;
            }),
            Err(error) => self.refuse(text, error, bundled, make),
        }
    }

    /// How it stands to its document.
    pub fn standing(&self) -> Standing {
        self.with(|state| state.standing.clone())
    }

    /// Whether there is nothing to do about a text: it serves already, or was refused already.
    fn is_known(&self, text: &str) -> bool {
        self.with(|state| {
            if state.made.is_some() && state.text == text {
                state.refused = None;
                if matches!(state.standing, Standing::Refused(_) | Standing::Unreachable(_)) {
                    state.standing = Standing::Current;
                }
                return true;
            }
            state.made.is_some() && state.refused.as_deref() == Some(text)
        })
    }

    fn make(&self, text: &str, make: &impl Fn(&Config, Option<&T>) -> Result<T>) -> Result<T> {
        #[cfg(feature = "toml")]
        let config = Config::parse(text)?;
        #[cfg(not(feature = "toml"))]
        let config = Config::from_json(text)?;
        make(&config, self.current().as_deref()).map_err(|error| Config::locate(text, error))
    }

    /// Keeps what serves; without anything that does, the bundled document has to.
    fn refuse(
        &self,
        text: String,
        error: Error,
        bundled: &str,
        make: impl Fn(&Config, Option<&T>) -> Result<T> + Send + Sync,
    ) {
        let made = match self.current() {
            None if text != bundled => self.make(bundled, &make).ok(),
            _ => None,
        };
        self.with(|state| {
            if let Some(made) = made {
                state.made = Some(Arc::new(made));
                bundled.clone_into(&mut state.text);
            }
            state.refused = Some(text);
            state.standing = Standing::Refused(error);
        });
    }

    fn with<R>(&self, f: impl FnOnce(&mut State<T>) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn document(bytes: &[u8]) -> Result<String> {
    let wrong = |problem: &str| {
        Err(Error::new(
            ErrorKind::Configuration,
            format!("the configuration {problem}"),
        ))
    };
    if bytes.len() > MAX_BYTES {
        return wrong("is over 1 MiB");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => wrong("is not UTF-8"),
    }
}

impl<T: Send + Sync + 'static> Default for Live<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
