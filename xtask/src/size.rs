//! `cargo xtask size`: what each example uploads, against its budget.

mod upload;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Step;
use crate::setup::Tools;
use crate::worker;
use crate::workspace::{CONFIG, Workspace};
use upload::Upload;

/// The most an example's upload may weigh, compressed, in KiB. A Worker starts the faster the smaller it is.
const BUDGETS: [(&str, u32); 2] = [("gateway", 1_400), ("gateway-lean", 650)];

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    let tools = Tools::ready(&workspace)?;
    check(&workspace, &tools)
}

/// Weighs every example; fails if one is over its budget.
pub(crate) fn check(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let uploads = dry_run_all(workspace, tools)?;
    println!(
        "\n{:12} {:>10} {:>10} {:>12} {:>16} {:>10}",
        "KiB", "wasm", "upload", "gzip -9", "wrangler's gzip", "budget"
    );
    let mut over = Vec::new();
    for upload in &uploads {
        let budget = BUDGETS
            .iter()
            .find(|(example, _)| *example == upload.example)
            .map(|(_, budget)| *budget);
        println!(
            "{:12} {:>10.1} {:>10.1} {:>12.1} {:>16.1} {:>10}",
            upload.example,
            upload.wasm,
            upload.raw,
            upload.gzip,
            upload.wrangler_gzip,
            budget.map_or_else(|| "none".to_owned(), |budget| budget.to_string()),
        );
        if budget.is_some_and(|budget| upload.weight() > f64::from(budget)) {
            over.push(upload.example.as_str());
        }
    }
    if !over.is_empty() {
        bail!("over the budget: {}", over.join(", "));
    }
    Ok(())
}

/// What `wrangler deploy` would upload of every example, without uploading it.
pub(crate) fn dry_run_all(workspace: &Workspace, tools: &Tools) -> Result<Vec<Upload>> {
    workspace
        .examples()?
        .iter()
        .map(|example| dry_run(workspace, tools, example))
        .collect()
}

fn dry_run(workspace: &Workspace, tools: &Tools, example: &str) -> Result<Upload> {
    let directory = workspace.example(example)?;
    worker::build(workspace, tools, &directory)?;
    // Files are named by their content: those of the last time would be weighed again.
    let folder = workspace.scratch(&format!("upload/{example}"))?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    let mut step = Step::start(format!("wrangler deploy --dry-run of {example}"));
    let mut wrangler = tools.wrangler()?;
    wrangler
        .current_dir(&directory)
        .args(["deploy", "--dry-run", "--config", CONFIG, "--outdir"])
        .arg(&folder);
    let output = process::run_quiet(&mut step, &mut wrangler)?;
    step.done();
    Upload::read(example, &folder, &output).with_context(|| format!("wrangler printed:\n{output}"))
}
