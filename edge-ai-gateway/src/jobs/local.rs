use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Clock, HttpClient, Result, Secret};
use http::{Request, Response};

use super::JobObjects;
use super::host::{Host, keep_up, wake};
use super::serve::serve_any;
use super::storage::Storage;

/// Jobs in the memory of one process: for native servers that can bear to lose them, and for tests.
///
/// Somebody has to give [messages](Self::next_message) to [`Gateway::work`](crate::Gateway::work), and to call [`wake`](Self::wake) now and then.
/// A Worker has `WorkerJobs`.
#[derive(Clone)]
pub struct LocalJobs(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    webhooks: Option<(Arc<dyn HttpClient>, Secret)>,
    objects: Mutex<HashMap<String, Arc<Memory>>>,
    messages: Mutex<VecDeque<String>>,
}

impl LocalJobs {
    /// No jobs yet.
    pub fn new(clock: impl Clock) -> Self {
        Self::with(Arc::new(clock), None)
    }

    /// The same, with what webhooks are sent and signed with.
    pub fn with_webhooks(clock: impl Clock, http: impl HttpClient, secret: Secret) -> Self {
        Self::with(Arc::new(clock), Some((Arc::new(http), secret)))
    }

    fn with(clock: Arc<dyn Clock>, webhooks: Option<(Arc<dyn HttpClient>, Secret)>) -> Self {
        Self(Arc::new(Inner {
            clock,
            webhooks,
            objects: Mutex::default(),
            messages: Mutex::default(),
        }))
    }

    /// The next message to work on, if there is one.
    pub fn next_message(&self) -> Option<String> {
        lock(&self.0.messages).pop_front()
    }

    /// Does what is due: attempts again, jobs that are over their time, webhooks.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](edge_ai_core::ErrorKind::Internal) for a job that does not read.
    pub async fn wake(&self) -> Result<()> {
        let objects: Vec<_> = lock(&self.0.objects)
            .iter()
            .map(|(id, object)| (id.clone(), Arc::clone(object)))
            .collect();
        for (id, object) in objects {
            // What has nothing to do any more is forgotten, as a Durable Object's storage is.
            if wake(&*object, &*self.0).await?.is_none() {
                lock(&self.0.objects).remove(&id);
            }
        }
        Ok(())
    }

    fn object(&self, id: &str) -> Arc<Memory> {
        Arc::clone(lock(&self.0.objects).entry(id.to_owned()).or_default())
    }
}

#[async_trait]
impl JobObjects for LocalJobs {
    async fn ask(&self, id: &str, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let object = self.object(id);
        let response = serve_any(&*object, self.0.clock.now().as_millis(), &request)?;
        if keep_up(&*object, &*self.0).await?.is_none() {
            lock(&self.0.objects).remove(id);
        }
        Ok(response)
    }
}

#[async_trait]
impl Host for Inner {
    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    async fn dispatch(&self, id: &str) -> Result<()> {
        lock(&self.messages).push_back(id.to_owned());
        Ok(())
    }

    fn webhooks(&self) -> Option<(&dyn HttpClient, &Secret)> {
        self.webhooks.as_ref().map(|(http, secret)| (&**http, secret))
    }

    fn log(&self, _: &str) {}
}

impl fmt::Debug for LocalJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalJobs({})", lock(&self.0.objects).len())
    }
}

/// What an object keeps, in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Storage for Memory {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(lock(&self.0).get(name).cloned())
    }

    fn put(&self, name: &str, value: &[u8]) -> Result<()> {
        lock(&self.0).insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        let kept = lock(&self.0);
        let found = kept
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after)
            .take(limit);
        Ok(found.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    fn delete(&self, prefix: &str) -> Result<()> {
        lock(&self.0).retain(|name, _| !name.starts_with(prefix));
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
