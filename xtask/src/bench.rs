//! `cargo xtask bench`: what the claims of speed are measured by, kept with the machine and the versions.

mod search;
pub(crate) mod split;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;
use crate::setup;
use crate::workspace::Workspace;

pub(crate) fn run(simulation: Option<&str>) -> Result<()> {
    let workspace = Workspace::find()?;
    if simulation == Some("search") {
        return search::run(&workspace);
    }
    let mut step = Step::start("building the benchmarks");
    let mut build = process::cargo();
    build.args(["build", "--profile", "bench", "--package", "benches"]);
    process::run_quiet(&mut step, build.current_dir(workspace.root()))?;
    step.done();

    let mut step = Step::start("measuring, in turns");
    let program = workspace.target().join("release/benches");
    let measured = process::run_quiet(&mut step, Command::new(program).args(simulation))?;
    step.done();
    println!("\n{measured}");

    let text = match simulation {
        None => {
            let peers = ["governor", "eventsource-stream"];
            let machine = machine(&workspace, "bench", "The pure parts, beside their peers", &peers)?;
            format!("{machine}\n```text\n{measured}\n```\n")
        }
        // The same on every machine.
        Some(name) => {
            format!("# {name}, simulated\n\n`cargo xtask bench {name}`, by virtual time.\n\n{measured}\n")
        }
    };
    keep(&workspace, simulation.unwrap_or("pure"), &text)
}

/// What the semantic cache answers, with a real embedding model.
pub(crate) fn semantic(paraphrases: &Path) -> Result<()> {
    let workspace = Workspace::find()?;
    let model = setup::embedding_model()?;
    let mut step = Step::start("building the benchmark");
    let mut build = process::cargo();
    build.args(["build", "--package", "benches", "--features", "semantic"]);
    process::run_quiet(&mut step, build.current_dir(workspace.root()))?;
    step.done();
    let mut step = Step::start("embedding, comparing");
    let mut program = Command::new(workspace.target().join("debug/benches"));
    let table = process::run_quiet(&mut step, program.arg("semantic").arg(model).arg(paraphrases))?;
    step.done();
    println!("\n{table}");
    let text =
        format!("# The semantic cache\n\n`cargo xtask bench semantic`, with all-MiniLM-L6-v2.\n\n{table}");
    keep(&workspace, "semantic", &text)
}

/// Writes what was measured where results are kept, with the date.
fn keep(workspace: &Workspace, name: &str, text: &str) -> Result<()> {
    let date = process::output_of(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let path = format!("benches/results/{}-{name}.md", date.trim());
    fs::write(workspace.join(&path), text).with_context(|| format!("cannot write {path}"))?;
    println!("\nkept in {path}");
    Ok(())
}

/// What the numbers depend on.
fn machine(workspace: &Workspace, command: &str, title: &str, peers: &[&str]) -> Result<String> {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
    let processor = processor.map_or("unknown processor", |name| {
        name.trim_start_matches([' ', '\t', ':'])
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = process::version_of("rustc").unwrap_or_default();
    let lock = workspace.read("Cargo.lock")?;
    let peers = peers.iter().map(|peer| {
        let version = lock.split(&format!("name = \"{peer}\"\nversion = \"")).nth(1);
        let version = version.and_then(|rest| rest.split('"').next()).unwrap_or("?");
        format!("{peer} {version}")
    });
    Ok(format!(
        "# {title}\n\n`cargo xtask {command}` on {processor}, {cores} cores, shared; {}; {}.\n",
        rustc.trim(),
        peers.collect::<Vec<_>>().join(", ")
    ))
}
