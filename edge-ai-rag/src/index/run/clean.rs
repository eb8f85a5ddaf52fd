use super::{Index, Step};
use crate::index::manifest::{Entry, Fence, Stop};
use crate::index::put::body_folder;
use crate::index::{JobAction, JobState};

/// How many chunks are removed at once; stores split for their own caps.
const AT_ONCE: usize = 500;

/// How many bodies are looked through at once.
const BODIES: usize = 1_000;

impl Index {
    /// Removes from the stores, then from the manifest, what does not belong to the generation `live`, and older bodies; then nothing is left to do.
    pub(super) async fn clean(
        &self,
        fence: &Fence,
        entry: &Entry,
        live: Option<u64>,
        batches: &mut usize,
    ) -> Result<Step, Stop> {
        loop {
            let ids = self.manifest.garbage(fence, self.times(), live, AT_ONCE).await?;
            if ids.is_empty() {
                break;
            }
            if *batches == 0 {
                return Ok(Step::Pause);
            }
            *batches -= 1;
            let mutation = self.write(self.parts.vectors.delete(&ids)).await?;
            if let Some(keywords) = &self.parts.keywords {
                self.write(keywords.delete(&ids)).await?;
            }
            self.manifest
                .forget(fence, self.times(), live, &ids, mutation.id.as_deref())
                .await?;
        }
        let gone = entry.job.action == JobAction::Delete;
        self.remove_bodies(fence, entry, gone).await?;
        self.manifest
            .settle(fence, self.parts.clock.now(), live, gone)
            .await?;
        Ok(Step::Settled)
    }

    /// Bodies of earlier generations, but for those that are still of use. A body that is being put has a later one, and its row after it.
    async fn remove_bodies(&self, fence: &Fence, entry: &Entry, gone: bool) -> Result<(), Stop> {
        let folder = body_folder(&fence.namespace, &fence.document);
        // What searches see of a document whose job has failed is made of an earlier body.
        let earlier = entry
            .document
            .body
            .as_deref()
            .filter(|_| entry.job.is(&JobState::Failed));
        let used = [entry.job.body.as_deref(), earlier];
        let end = format!("{folder}{:016}", fence.generation);
        let mut after = None;
        loop {
            let page = self
                .call(self.parts.originals.list(&folder, after.as_deref(), BODIES))
                .await?;
            let last = page.objects.last().map(|object| object.key.clone());
            let unused: Vec<_> = page
                .objects
                .into_iter()
                .map(|object| object.key)
                .filter(|key| *key < end && (gone || !used.contains(&Some(key.as_str()))))
                .collect();
            if !unused.is_empty() {
                self.call(self.parts.originals.delete(&unused)).await?;
            }
            match last.filter(|last| page.more && *last < end) {
                None => return Ok(()),
                last => after = last,
            }
        }
    }
}
