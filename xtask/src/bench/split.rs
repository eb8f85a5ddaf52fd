//! `cargo xtask bench split`: our splitters, `text-splitter`'s and LangChain's on the same text in the same run.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::{keep, machine};
use crate::process;
use crate::progress::Step;
use crate::setup::python_environment;
use crate::workspace::Workspace;

/// What a reader has to know to judge the numbers.
const NOTE: &str = "\
The text is this repository's own documentation, four times over, the same for all. Medians of five runs each, ours and the peer's in turns; chunks are \
owned texts on both sides. Our tokens are an estimate (`edge_ai_core::estimate_tokens`, whose error its tests state), tiktoken's are exact: that line \
compares what each library offers for sizes in tokens, the line above it gives both the same measure.";

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    let python = python_environment(&workspace, "split", "benches/requirements.txt")?;
    let mut step = Step::start("building the benchmark");
    let mut build = process::cargo();
    build.args([
        "build",
        "--profile",
        "bench",
        "--package",
        "benches",
        "--features",
        "split",
    ]);
    process::run_quiet(&mut step, build.current_dir(workspace.root()))?;
    step.done();

    let mut step = Step::start("splitting, in turns");
    let text = workspace.target().join("split.md");
    fs::write(&text, documentation(&workspace)?).context("cannot write the text to split")?;
    let mut program = Command::new(workspace.target().join("release/benches"));
    let ours = process::run_quiet(&mut step, program.arg("split").arg(&text))?;
    let mut langchain = Command::new(python);
    langchain.arg(workspace.join("benches/src/split.py")).arg(&text);
    let langchain = process::run_quiet(&mut step, &mut langchain)?;
    step.done();
    let measured = format!("{}\n{}", ours.trim_end(), langchain.trim_end());
    println!("\n{measured}");
    let machine = machine(
        &workspace,
        "bench split",
        "Splitters, beside their peers",
        &["text-splitter", "tiktoken-rs"],
    )?;
    keep(
        &workspace,
        "split",
        &format!("{machine}\n{NOTE}\n\n```text\n{measured}\n```\n"),
    )
}

/// The repository's Markdown, four times over.
fn documentation(workspace: &Workspace) -> Result<String> {
    let mut files = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for directory in ["docs", "docs/decisions"] {
        files.extend(workspace.files(directory, "", ".md")?);
    }
    let texts: Result<Vec<String>> = files.iter().map(|file| workspace.read(file)).collect();
    Ok(texts?.join("\n\n").repeat(4))
}
