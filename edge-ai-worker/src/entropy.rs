use edge_ai_core::Entropy;

use crate::bridge;

/// The Worker's randomness: `crypto.getRandomValues`, fit for secrets.
///
/// The runtime gives none at start-up, outside a request or event.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerEntropy;

impl Entropy for WorkerEntropy {
    fn next_u64(&self) -> u64 {
        bridge::random_u64()
    }
}
