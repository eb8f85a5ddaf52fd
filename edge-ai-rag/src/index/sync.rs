mod event;

use std::collections::HashMap;

use edge_ai_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::manifest::{Change, Entry, next_generation};
use super::put::given_hash;
use super::{Index, JobAction, ObjectPage, ObjectStore, StoredObject};
use crate::{DocumentId, Namespace};

pub use event::{BucketEvent, EventObject};

/// The most changes taken up at once: one transaction, one message each.
pub(super) const AT_ONCE: usize = 100;

/// What one part of a sync has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Synced {
    /// Documents that are new.
    pub added: usize,
    /// Documents whose objects have changed, or that another pipeline has made.
    pub changed: usize,
    /// Documents that are as they were.
    pub unchanged: usize,
    /// Documents whose objects are gone.
    pub deleted: usize,
    /// Objects that cannot be documents, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Where to go on; `None` when the bucket has been gone through.
    pub cursor: Option<String>,
}

impl Index {
    /// Compares a part of a bucket with the index, at most `limit` objects (and 1,000) from `cursor` on, and has what differs taken up or removed. A document's id is its
    /// object's key; its bytes stay where they are.
    ///
    /// Only documents that came from this bucket are removed, and one of the same id that was [`put`](Self::put) is taken over.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a bucket that the index does not know; errors of the bucket and the database: go on with the same cursor.
    pub async fn sync(
        &self,
        namespace: &Namespace,
        bucket: &str,
        prefix: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Synced> {
        let ObjectPage { objects, more } = self
            .bucket(bucket)?
            .list(prefix, cursor, limit.clamp(1, 1_000))
            .await?;
        let last = objects.last().map(|object| object.key.clone());
        let mut synced = Synced::default();
        let mut present = Vec::new();
        for object in objects {
            match DocumentId::new(object.key.as_str()) {
                Ok(id) => present.push((id, object)),
                Err(error) => synced.skipped.push((object.key, error.message().to_owned())),
            }
        }
        for part in present.chunks(AT_ONCE) {
            let ids: Vec<_> = part.iter().map(|(id, _)| id.clone()).collect();
            let known = self.manifest.known(namespace, &ids).await?;
            let known: HashMap<_, _> = known
                .into_iter()
                .map(|entry| (entry.document.id.clone(), entry))
                .collect();
            let mut changes = Vec::new();
            for (id, object) in part {
                let entry = known.get(id);
                match entry {
                    Some(entry) if self.is_as(entry, bucket, object) => {
                        synced.unchanged += 1;
                        continue;
                    }
                    Some(entry) if entry.job.action != JobAction::Delete => synced.changed += 1,
                    _ => synced.added += 1,
                }
                changes.push(self.by_reference(id, bucket, object, entry));
            }
            self.accept_all(namespace, &changes).await?;
        }
        let until = last.clone().filter(|_| more);
        synced.deleted = self
            .remove_missing(namespace, bucket, prefix, (cursor, until.as_deref()), &present)
            .await?;
        synced.cursor = until;
        Ok(synced)
    }

    /// Removes documents of the bucket whose objects would be between two keys, and are not.
    async fn remove_missing(
        &self,
        namespace: &Namespace,
        bucket: &str,
        prefix: &str,
        (after, until): (Option<&str>, Option<&str>),
        present: &[(DocumentId, StoredObject)],
    ) -> Result<usize> {
        let present: std::collections::HashSet<_> = present.iter().map(|(id, _)| id).collect();
        // Nothing before the prefix has it; a key that is the prefix itself does.
        let mut after = after.map(str::to_owned).or_else(|| before(prefix));
        let mut deleted = 0;
        loop {
            let between = (after.as_deref(), until);
            let entries = self
                .manifest
                .of_bucket(namespace, bucket, between, AT_ONCE)
                .await?;
            let full = entries.len() == AT_ONCE;
            let beyond = entries
                .last()
                .is_none_or(|entry| !entry.document.id.as_str().starts_with(prefix));
            after = entries.last().map(|entry| entry.document.id.to_string());
            let now = self.parts.clock.now();
            let changes: Vec<_> = entries
                .iter()
                .filter(|entry| {
                    entry.document.id.as_str().starts_with(prefix) && !present.contains(&entry.document.id)
                })
                .map(|entry| Change::delete(entry.document.id.clone(), next_generation(Some(entry), now)))
                .collect();
            deleted += changes.len();
            self.accept_all(namespace, &changes).await?;
            if !full || beyond {
                return Ok(deleted);
            }
        }
    }

    /// Whether a document is what its object is.
    fn is_as(&self, entry: &Entry, bucket: &str, object: &StoredObject) -> bool {
        entry.job.bucket.as_deref() == Some(bucket)
            && entry.job.etag.as_deref() == Some(&object.etag)
            && (self.is_current(entry) || entry.job.is(&super::JobState::Failed))
    }

    /// A change that takes up an object where it is.
    fn by_reference(
        &self,
        id: &DocumentId,
        bucket: &str,
        object: &StoredObject,
        entry: Option<&Entry>,
    ) -> Change {
        let source = format!("r2://{bucket}/{}", object.key);
        let metadata = "{}".to_owned();
        Change {
            document: id.clone(),
            generation: next_generation(entry, self.parts.clock.now()),
            action: JobAction::Put,
            bucket: Some(bucket.to_owned()),
            body: Some(object.key.clone()),
            hash: None,
            given: Some(given_hash(Some(&source), &metadata)),
            etag: Some(object.etag.clone()),
            media_type: object.content_type.clone(),
            source: Some(source),
            metadata,
            bytes: object.size,
        }
    }

    fn bucket(&self, name: &str) -> Result<&dyn ObjectStore> {
        let store = self.parts.buckets.get(name).ok_or_else(|| {
            let message = format!("the index knows no bucket `{name}`: name it with `IndexBuilder::bucket`");
            Error::new(ErrorKind::Configuration, message)
        })?;
        Ok(&**store)
    }
}

/// A text before everything that begins with `prefix`, and after as much as possible of the rest.
fn before(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    let last = characters.pop()?;
    let previous = char::from_u32(u32::from(last).checked_sub(1)?)?;
    characters.extend([previous, char::MAX]);
    Some(characters.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn what_is_before_a_prefix_is_before_all_that_has_it() {
        for prefix in ["a", "docs/", "ä"] {
            let before = before(prefix).unwrap();
            assert!(before.as_str() < prefix, "{prefix}");
        }
        assert_eq!(before(""), None);
    }
}
