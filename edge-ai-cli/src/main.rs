//! The command `edge-ai`: keys, tenants' vendor keys, usage and kept answers of a gateway, over its admin API; and a check of its configuration.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "talking to its user is what this program is for"
)]
#![expect(
    clippy::indexing_slicing,
    reason = "a field that a JSON value does not have is null"
)]
#![expect(clippy::disallowed_methods, reason = "a native program reads its own clock")]

mod api;
mod args;
mod config;
mod run;
mod span;
mod table;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match run::run(args::Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
