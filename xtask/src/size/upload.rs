//! What `wrangler deploy --dry-run` wrote and said.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

/// One example's upload, in KiB.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) example: String,
    pub(crate) wasm: f64,
    pub(crate) raw: f64,
    /// All modules, one after another, through `gzip -9`.
    pub(crate) gzip: f64,
    pub(crate) wrangler_gzip: f64,
}

impl Upload {
    /// Weighs the modules in `folder` and reads the sizes in wrangler's `output`.
    pub(super) fn read(example: &str, folder: &Path, output: &str) -> Result<Self> {
        let wrangler_gzip = reported_gzip(output).context("wrangler did not say how large the upload is")?;
        let (mut wasm, mut all) = (0, Vec::new());
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if !matches!(extension, Some("js" | "mjs" | "wasm")) {
                continue;
            }
            let module = fs::read(&path)?;
            if extension == Some("wasm") {
                wasm += module.len();
            }
            all.extend(module);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&all)?;
        Ok(Self {
            example: example.to_owned(),
            wasm: kib(wasm),
            raw: kib(all.len()),
            gzip: kib(encoder.finish()?.len()),
            wrangler_gzip,
        })
    }

    /// The larger of the two compressed sizes.
    pub(super) fn weight(&self) -> f64 {
        self.gzip.max(self.wrangler_gzip)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an upload is far below 2^52 bytes")]
fn kib(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}

/// The second figure of `Total Upload: 438.56 KiB / gzip: 171.02 KiB`.
fn reported_gzip(output: &str) -> Option<f64> {
    let (_, rest) = output.split_once("Total Upload:")?;
    let (_, rest) = rest.lines().next()?.split_once("gzip:")?;
    let mut words = rest.split_whitespace();
    let figure: f64 = words.next()?.parse().ok()?;
    match words.next()? {
        "B" => Some(figure / 1024.0),
        "KiB" => Some(figure),
        "MiB" => Some(figure * 1024.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_line_wrangler_prints() {
        let output = "\nTotal Upload: 438.56 KiB / gzip: 171.02 KiB\nYour Worker has access to the following bindings:\n";
        assert_eq!(reported_gzip(output), Some(171.02));
        assert_eq!(
            reported_gzip("Total Upload: 4.0 MiB / gzip: 1.5 MiB"),
            Some(1536.0)
        );
        assert_eq!(reported_gzip("Total Upload: 438.56 KiB\n gzip: 1 KiB"), None);
        assert_eq!(reported_gzip("nothing"), None);
    }
}
