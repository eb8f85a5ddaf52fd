//! `cargo xtask test`: everything that has to pass, in stages; the first that fails ends it.

mod architecture;
mod e2e;
mod tidy;
mod unit;
mod workers;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::progress::seconds;
use crate::setup::Tools;
use crate::size;
use crate::workspace::Workspace;

/// `cargo xtask test`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run this stage alone; repeatable
    #[arg(long, value_name = "STAGE")]
    only: Vec<Stage>,
}

/// The stages, in the order they run: the quickest to fail first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Format, lints on the host and for Workers, documentation, architecture
    Tidy,
    /// Unit, property and documentation tests, natively
    Unit,
    /// The contract suites inside workerd
    Workers,
    /// The official clients against a served gateway
    E2e,
    /// `wrangler deploy --dry-run` of every example
    Deploy,
    /// The upload of each example against its budget
    Size,
}

/// What stages share.
struct Context {
    workspace: Workspace,
    tools: Tools,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let tools = Tools::ready(&workspace)?;
    let context = Context { workspace, tools };
    let chosen = |stage: &Stage| args.only.is_empty() || args.only.contains(stage);
    let mut passed = Vec::new();
    for stage in Stage::value_variants().iter().copied().filter(chosen) {
        println!("\n== {} ==", stage.name());
        let started = Instant::now();
        let result = stage.run(&context);
        if result.is_err() {
            println!("\n{}{:10} FAILED", summary(&passed), stage.name());
        }
        result.with_context(|| format!("stage {} failed", stage.name()))?;
        passed.push((stage, started.elapsed()));
    }
    println!("\n{}", summary(&passed));
    Ok(())
}

impl Stage {
    fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Tidy => tidy::run(context),
            Self::Unit => unit::run(context),
            Self::Workers => workers::run(context),
            Self::E2e => e2e::run(context),
            Self::Deploy => size::dry_run_all(&context.workspace, &context.tools).map(drop),
            Self::Size => size::check(&context.workspace, &context.tools),
        }
    }

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

fn summary(passed: &[(Stage, Duration)]) -> String {
    passed
        .iter()
        .map(|(stage, took)| format!("{:10} passed in {}\n", stage.name(), seconds(*took)))
        .collect()
}
