//! Ctrl-C and its kin: noted when they come, acted on where children are waited for.

use std::fmt;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Result;

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The developer asked to stop: not a failure.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Interrupted {}

/// From here on SIGINT, SIGTERM and SIGHUP ask for a clean stop; a second one ends the program at once.
pub(crate) fn watch_signals() -> Result<()> {
    let requested = REQUESTED.get_or_init(Arc::default);
    #[cfg(unix)]
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(requested))?;
        signal_hook::flag::register(signal, Arc::clone(requested))?;
    }
    Ok(())
}

pub(crate) fn requested() -> bool {
    REQUESTED
        .get()
        .is_some_and(|requested| requested.load(Ordering::Relaxed))
}

/// Fails with [`Interrupted`] if a stop was asked for.
pub(crate) fn check() -> Result<()> {
    if requested() {
        Err(Interrupted.into())
    } else {
        Ok(())
    }
}

/// Asks a child and what it started to end.
pub(super) fn end_group(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // An error says that the group is gone already.
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _gone = child.kill();
}
