//! `cargo xtask dev`: an example on this machine, as Cloudflare would run it.

mod banner;
pub(crate) mod vars;

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::setup::Tools;
use crate::stack::{Options, Stack};
use crate::worker;
use crate::workspace::Workspace;

/// `cargo xtask dev`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The example to serve: a directory of examples/
    example: String,
    /// The port to serve on, on 127.0.0.1
    #[arg(long, default_value_t = 8787, value_name = "N")]
    port: u16,
    /// A variable of the Worker, over the one in wrangler.jsonc; repeatable
    #[arg(long = "var", value_name = "KEY=VALUE")]
    vars: Vec<vars::Var>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let directory = workspace.example(&args.example)?;
    if !process::is_free(args.port) {
        let other = args.port.checked_add(1).unwrap_or(8787);
        bail!(
            "port {} is taken. Stop what listens there, or choose another: cargo xtask dev {} --port {other}",
            args.port,
            args.example
        );
    }
    println!("{}: making ready", args.example);
    let tools = Tools::ready(&workspace)?;
    worker::build(&workspace, &tools, &directory)?;
    let mut stack = Stack::start(
        &workspace,
        &tools,
        Options {
            state: Some(directory.join(".wrangler/state")),
            worker: directory,
            port: Some(args.port),
            vars: args.vars,
            isolated: false,
            logs: None,
        },
    )?;
    println!(
        "{}",
        banner::text(&args.example, &stack.worker_url, &stack.local_url)
    );
    while !process::interrupted() {
        stack.check()?;
        thread::sleep(Duration::from_millis(100));
    }
    println!("\nstopping");
    Ok(())
}
