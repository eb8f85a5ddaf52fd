use std::time::Duration;

/// What an index may take, and how long it waits. [`Default`] suits Workers AI, D1 and Vectorize.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexOptions {
    /// The most bytes of a document: 10 MiB.
    pub max_bytes: u64,
    /// The most bytes of a document's metadata as JSON: 8 KiB, so that a vector's 10 KiB in Vectorize hold it.
    pub max_metadata_bytes: usize,
    /// The most chunks of a document: 20,000.
    pub max_chunks: usize,
    /// The most texts embedded and written at once: 100, what [Workers AI](https://developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5/) takes in a call.
    pub batch_texts: usize,
    /// About the most tokens embedded at once: 50,000.
    pub batch_tokens: u64,
    /// The most batches of one run; then the rest is left to another message, so that a long document fits the
    /// [subrequests](https://developers.cloudflare.com/workers/platform/limits/#subrequests) of an invocation: 100.
    pub batches_per_run: usize,
    /// How long a consumer has a document for itself before another may take over: 2 minutes. It is renewed as work goes on.
    pub lease: Duration,
    /// The longest a call of a store or a model may take: 30 seconds. At most a third of the lease.
    pub call: Duration,
    /// How many failed attempts without progress make a job fail: 6.
    pub max_attempts: u32,
    /// How long a job without capacity (429, Workers AI's 3040) is tried: a day.
    pub patience: Duration,
    /// How long finished jobs and the memory of deleted documents are kept: 7 days.
    pub keep: Duration,
    /// The fields of a document's metadata that searches filter by; `None` for all that are texts, numbers, booleans and lists of texts.
    pub filterable: Option<Vec<String>>,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            max_bytes: 10 << 20,
            max_metadata_bytes: 8 << 10,
            max_chunks: 20_000,
            batch_texts: 100,
            batch_tokens: 50_000,
            batches_per_run: 100,
            lease: Duration::from_secs(120),
            call: Duration::from_secs(30),
            max_attempts: 6,
            patience: Duration::from_secs(86_400),
            keep: Duration::from_secs(7 * 86_400),
            filterable: None,
        }
    }
}
