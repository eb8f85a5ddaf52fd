//! `cargo xtask prices`: the catalog of models, written anew from its source.

mod litellm;
mod row;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::progress::Step;
use crate::setup;
use crate::workspace::Workspace;

/// `cargo xtask prices`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The version of the source, a package of the Python registry; the newest unless told
    #[arg(long)]
    version: Option<String>,
}

/// What is written.
const CATALOG: &str = "edge-ai-providers/src/catalog/models.txt";

/// Where the facts come from.
const SOURCE: &str = "model_prices_and_context_window.json of LiteLLM (MIT)";

/// What the source does not have, from the vendors' own pages, by hand.
const MORE: &str = "edge-ai-providers/src/catalog/more.txt";

pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::find()?;
    let (version, table) = download(&workspace, args.version.as_deref())?;
    let date = today()?;
    let mut rows = litellm::rows(&table, &date)?;
    for line in workspace
        .read(MORE)?
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let (name, rest) = line.split_once(' ').context("a line without fields")?;
        rows.entry(name.to_owned()).or_insert_with(|| rest.to_owned());
    }
    let text = text(&version, &date, &rows);
    let before = fs::read_to_string(workspace.join(CATALOG)).unwrap_or_default();
    fs::write(workspace.join(CATALOG), &text)?;
    tell(&before, &text);
    Ok(())
}

fn text(version: &str, date: &str, rows: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "# Written by `cargo xtask prices`; what a line says is told in line.rs.\n\
         # source {}\n# version {version}\n# date {date}\n",
        SOURCE
    );
    for (name, rest) in rows {
        text.push_str(&format!("{name} {rest}\n"));
    }
    text
}

/// Says what is new, gone and changed.
fn tell(before: &str, after: &str) {
    let models = |text: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.split_once(' '))
            .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
            .collect()
    };
    let (before, after) = (models(before), models(after));
    for (name, rest) in &after {
        match before.get(name) {
            None => println!("+ {name} {rest}"),
            Some(old) if old != rest => println!("~ {name} {rest}"),
            Some(_) => {}
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        println!("- {name}");
    }
    println!("{} models", after.len());
}

/// The source's version and table.
fn download(workspace: &Workspace, version: Option<&str>) -> Result<(String, serde_json::Value)> {
    const TABLE: &str = "litellm/model_prices_and_context_window_backup.json";
    let python = setup::python_environment(workspace, "e2e", "tests/e2e/requirements.txt")?;
    let folder = workspace.scratch("prices")?;
    let mut step = Step::start("downloading the table of prices".to_owned());
    let package = version.map_or_else(|| "litellm".to_owned(), |version| format!("litellm=={version}"));
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]);
    pip.args(["--only-binary", ":all:", "--dest"])
        .arg(&folder)
        .arg(package);
    process::run_quiet(&mut step, &mut pip)?;
    let mut wheels = fs::read_dir(&folder)?.collect::<std::io::Result<Vec<_>>>()?;
    wheels.retain(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "whl")
    });
    wheels.sort_by_key(|entry| entry.metadata().and_then(|file| file.modified()).ok());
    let wheel = wheels.pop().context("no package came")?.path();
    let mut unpack = Command::new(&python);
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&folder);
    process::run_quiet(&mut step, &mut unpack)?;
    step.done();
    let name = wheel
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let version = name.split('-').nth(1).context("a package without a version")?;
    let table = fs::read(folder.join(TABLE)).context("the package has no table")?;
    Ok((version.to_owned(), serde_json::from_slice(&table)?))
}

fn today() -> Result<String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output()?;
    Ok(String::from_utf8(date.stdout)?.trim().to_owned())
}

/// A name that breaks a line would break the catalog.
fn checked(name: &str) -> Result<&str> {
    if name.is_empty()
        || name
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        bail!("`{name}` cannot be a model's name");
    }
    Ok(name)
}
