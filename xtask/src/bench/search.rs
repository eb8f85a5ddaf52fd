//! `cargo xtask bench search`: vectors searched in workerd, in the Worker's memory and in a Durable Object that has just woken.

use anyhow::Result;

use crate::process;
use crate::setup::Tools;
use crate::stack::{Options, Stack};
use crate::worker;
use crate::workspace::Workspace;

const WORKER: &str = "benches/search";
const SCRIPT: &str = "runtime/search.mjs";

pub(super) fn run(workspace: &Workspace) -> Result<()> {
    let tools = Tools::ready(workspace)?;
    let directory = workspace.join(WORKER);
    worker::build(workspace, &tools, &directory)?;
    let scratch = workspace.scratch("search")?;
    let state = scratch.join("state");
    let measured = |parts: &[&str]| -> Result<String> {
        // Each part in a runtime of its own, so that an object has to wake and memory is that part's alone.
        let mut options = Options::isolated(directory.clone(), scratch.clone());
        options.state = Some(state.clone());
        let stack = Stack::start(workspace, &tools, options)?;
        let mut node = tools.node_itself()?;
        node.current_dir(workspace.root()).arg(SCRIPT).args(parts);
        process::output_of(node.env("WORKER_URL", &stack.worker_url))
    };
    let filled = measured(&["fill"])?;
    let rows = [
        measured(&["memory"])?,
        measured(&["object", "int8"])?,
        measured(&["object", "f32"])?,
    ];
    let rows: Vec<_> = rows.iter().map(|rows| rows.trim()).collect();
    let machine = super::machine(
        workspace,
        "bench search",
        "Search through vectors, in workerd",
        &["worker"],
    )?;
    let text = format!(
        "{machine}\nThe ten nearest by cosine, SIMD of 128 bits; a search is the median of rounds of many, timed from outside \
         without what a request takes.\n\n| what | a search | |\n| --- | --- | --- |\n{}\n\n{}\n",
        rows.join("\n"),
        filled.trim().replace('\n', "; ")
    );
    println!("\n{text}");
    super::keep(workspace, "search", &text)
}
