use edge_ai_core::{ErrorKind, Result};
use web_sys::{AbortController, AbortSignal};

use crate::error::js_error;

/// A request on its way or an answer arriving: dropped before its end, it is aborted.
pub(crate) struct Exchange(Option<AbortController>);

impl Exchange {
    pub(crate) fn open() -> Result<(Self, AbortSignal)> {
        let controller = AbortController::new().map_err(|thrown| js_error(ErrorKind::Internal, &thrown))?;
        let signal = controller.signal();
        Ok((Self(Some(controller)), signal))
    }

    /// Came to its end: nothing is left to abort.
    pub(crate) fn finish(mut self) {
        self.0 = None;
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
