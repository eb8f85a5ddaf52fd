//! The developer's commands of edge-ai: `cargo xtask dev`, `build`, `test`, `size`.
//!
//! Each makes the machine ready first, so a fresh clone needs rustup and Node.js and nothing else.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "talking to the developer is what this program is for"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a native program reads its own clock, environment and threads"
)]

mod bench;
mod dev;
mod prices;
mod process;
mod progress;
mod setup;
mod size;
mod stack;
mod test;
mod worker;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::process::Interrupted;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about,
    disable_help_subcommand = true
)]
enum Command {
    /// Build an example, serve it on workerd with every binding attached, offline and without an account
    Dev(dev::Args),
    /// Build an example for workerd; wrangler calls this before it deploys
    Build {
        /// The example to build: a directory of examples/
        example: String,
    },
    /// Everything that has to pass before a change lands
    Test(test::Args),
    /// The pure parts beside the libraries that do the same, in one run; or a simulation
    Bench {
        /// `limit-leases`: what leases let in over fifty isolates, held against their bound; `semantic`: what the semantic cache answers; `split`: splitters
        /// beside `text-splitter` and LangChain's; `search`: vectors searched in workerd
        #[arg(value_parser = ["limit-leases", "search", "semantic", "split"])]
        simulation: Option<String>,

        /// For `semantic`: GPTCache's `mock_data.json`, pairs of sentences that mean the same (`[{"origin", "similar"}]`)
        #[arg(
            long,
            value_name = "FILE",
            env = "EDGE_AI_PARAPHRASES",
            required_if_eq("simulation", "semantic")
        )]
        paraphrases: Option<PathBuf>,
    },
    /// The catalog of models and prices, written anew from its source
    Prices(prices::Args),
    /// What each example uploads, raw and compressed, against its budget
    Size,
}

fn main() -> ExitCode {
    let command = Command::parse();
    if let Err(error) = process::watch_signals() {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    let result = match command {
        Command::Dev(args) => dev::run(args),
        Command::Build { example } => worker::run(&example),
        Command::Test(args) => test::run(&args),
        Command::Bench {
            simulation: Some(name),
            paraphrases: Some(paraphrases),
        } if name == "semantic" => bench::semantic(&paraphrases),
        Command::Bench {
            simulation: Some(name),
            ..
        } if name == "split" => bench::split::run(),
        Command::Bench { simulation, .. } => bench::run(simulation.as_deref()),
        Command::Prices(args) => prices::run(&args),
        Command::Size => size::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            println!("\nstopped");
            // What a shell reports for a program that SIGINT ended.
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
