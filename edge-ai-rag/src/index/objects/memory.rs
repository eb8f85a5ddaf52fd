use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use edge_ai_core::{Bytes, Result, async_trait};

use super::{ObjectPage, ObjectStore, StoredObject, too_large};
use crate::digest::Digest;

/// Objects in the memory of one process: for native servers that can bear to lose them, and for tests. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryObjects(Arc<Mutex<BTreeMap<String, (StoredObject, Bytes)>>>);

impl MemoryObjects {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, (StoredObject, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<()> {
        let mut object = StoredObject::new(
            key,
            body.len() as u64,
            Digest::new("etag").part(&body).into_base64(),
        );
        object.content_type = Some(content_type.to_owned());
        self.objects().insert(key.to_owned(), (object, body));
        Ok(())
    }

    async fn get(&self, key: &str, most: u64) -> Result<Option<(StoredObject, Bytes)>> {
        let found = self.objects().get(key).cloned();
        match found {
            Some((object, _)) if object.size > most => Err(too_large(key, object.size, most)),
            found => Ok(found),
        }
    }

    async fn head(&self, key: &str) -> Result<Option<StoredObject>> {
        Ok(self.objects().get(key).map(|(object, _)| object.clone()))
    }

    async fn delete(&self, keys: &[String]) -> Result<()> {
        let mut objects = self.objects();
        keys.iter().for_each(|key| {
            objects.remove(key);
        });
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ObjectPage> {
        let objects = self.objects();
        let mut found = objects.values().map(|(object, _)| object).filter(|object| {
            object.key.starts_with(prefix) && after.is_none_or(|after| object.key.as_str() > after)
        });
        let page: Vec<_> = found.by_ref().take(limit).cloned().collect();
        Ok(ObjectPage::new(page, found.next().is_some()))
    }
}

impl fmt::Debug for MemoryObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryObjects({})", self.objects().len())
    }
}
