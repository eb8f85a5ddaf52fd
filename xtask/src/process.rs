//! Child processes: run to their end, or kept as servers; none outlives this program.

mod interrupt;
mod server;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(crate) use interrupt::{Interrupted, check as check_interrupt, requested as interrupted, watch_signals};
pub(crate) use server::{Logs, Server, is_free};

use crate::progress::Step;

const POLL: Duration = Duration::from_millis(20);

/// Runs a long command and answers what it printed, which is shown only if the command fails.
pub(crate) fn run_quiet(step: &mut Step, command: &mut Command) -> Result<String> {
    let mut child = spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    )?;
    let output = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        child
            .stdout
            .take()
            .map(|stdout| collect(stdout, Arc::clone(&output))),
        child
            .stderr
            .take()
            .map(|stderr| collect(stderr, Arc::clone(&output))),
    ];
    let status = wait(&mut child, || {
        let lines = output.lock().unwrap_or_else(PoisonError::into_inner);
        step.alive(
            lines
                .iter()
                .rev()
                .find(|line| !line.trim().is_empty())
                .map(String::as_str),
        );
    })?;
    for reader in readers.into_iter().flatten() {
        // A reader that panicked has lost lines of a log, nothing else.
        let _lost = reader.join();
    }
    let lines = output.lock().unwrap_or_else(PoisonError::into_inner);
    if !status.success() {
        for line in lines.iter().filter(|line| !is_cargo_progress(line)) {
            println!("{line}");
        }
    }
    expect_success(command, status)?;
    Ok(lines.join("\n"))
}

/// Runs a command on this terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let mut child = spawn(command.stdin(Stdio::null()))?;
    let status = wait(&mut child, || ())?;
    expect_success(command, status)
}

/// Runs a short command for what it prints on stdout.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", name(command)))?;
    check_interrupt()?;
    if !output.status.success() {
        bail!(
            "`{}` failed:\n{}",
            line(command),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program answers `--version`, and what.
pub(crate) fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `cargo`, the one that runs this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What `cargo run` tells this program about itself is not true of other builds.
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH");
    command
}

fn spawn(command: &mut Command) -> Result<Child> {
    check_interrupt()?;
    // A group of its own: a Ctrl-C reaches this program alone, which then ends the whole group.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
        .spawn()
        .with_context(|| format!("cannot run {}", name(command)))
}

fn wait(child: &mut Child, mut meanwhile: impl FnMut()) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            interrupt::end_group(child);
            child.wait()?;
            return Err(Interrupted.into());
        }
        meanwhile();
        thread::sleep(POLL);
    }
}

fn expect_success(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status})", line(command))
}

fn collect(from: impl Read + Send + 'static, into: Arc<Mutex<Vec<String>>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            into.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}

/// `   Compiling http v1.5.0`: hundreds of such lines would push the error out of sight.
fn is_cargo_progress(line: &str) -> bool {
    let doing = line.trim_start();
    // Cargo sets its verbs right-aligned; other programs' lines start at the margin.
    doing.len() < line.len()
        && ["Compiling ", "Checking ", "Downloaded ", "Locking ", "Adding "]
            .iter()
            .any(|verb| doing.starts_with(verb))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or_else(|| command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_without_the_progress_before_it() {
        assert!(is_cargo_progress("   Compiling http v1.5.0"));
        assert!(is_cargo_progress("  Downloaded http v1.5.0"));
        assert!(!is_cargo_progress("error[E0425]: cannot find value"));
        assert!(!is_cargo_progress("   |"));
        assert!(!is_cargo_progress("Compiling is what failed"));
    }

    #[test]
    fn a_failed_command_is_named_as_it_was_typed() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["build", "--lib"]);
        assert_eq!(line(&command), "cargo build --lib");
    }
}
