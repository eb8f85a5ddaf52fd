use std::fmt::Write;

/// What keeps the cases of a run apart in a store that they share: a run's own text, and the case's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    run: String,
    case: &'static str,
}

impl Scope {
    pub(crate) fn set_run(&mut self, run: impl Into<String>) {
        self.run = run.into();
    }

    pub(crate) fn set_case(&mut self, case: &'static str) {
        self.case = case;
    }

    /// A name that only this run and case use, 17 characters of letters and digits longer than `label`.
    pub(crate) fn name(&self, label: &str) -> String {
        format!("{}-{label}", self.digest(""))
    }

    /// 16 hexadecimal digits of run, case and label.
    pub(crate) fn digest(&self, label: &str) -> String {
        let mut digest = String::with_capacity(16);
        let _ = write!(digest, "{:016x}", self.hash(label));
        digest
    }

    /// FNV-1a: enough to keep names apart, and the same everywhere.
    pub(crate) fn hash(&self, label: &str) -> u64 {
        let text = [self.run.as_str(), self.case, label].map(str::as_bytes);
        text.join(&0_u8).iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}
