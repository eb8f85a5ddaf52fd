//! A child that serves until it is told to end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{POLL, interrupt, spawn};

const START: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(5);

/// Where a server's log lines go.
pub(crate) enum Logs {
    Terminal,
    File(PathBuf),
}

/// A running server. Dropping it stops it.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    // A server reads its stdin only to see it end: it ends even when this program was killed.
    stdin: Option<ChildStdin>,
}

impl Server {
    /// Starts a server and waits for the first line it prints on stdout.
    pub(crate) fn start(name: &'static str, command: &mut Command, logs: &Logs) -> Result<(Self, String)> {
        let mut server = Self::spawn(name, command.stdout(Stdio::piped()), logs)?;
        let stdout = server.child.stdout.take().context("stdout was not piped")?;
        let (lines, first) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Lines after the first have no reader; reading on keeps the pipe from filling.
                let _unread = lines.send(line);
            }
        });
        let line = server.until_ready(logs, || first.recv_timeout(POLL).ok())?;
        Ok((server, line))
    }

    /// Whether it ended by itself, and how.
    pub(crate) fn ended(&mut self) -> Result<Option<String>> {
        Ok(self
            .child
            .try_wait()?
            .map(|status| format!("{} ended by itself ({status})", self.name)))
    }

    fn spawn(name: &'static str, command: &mut Command, logs: &Logs) -> Result<Self> {
        if let Logs::File(path) = logs {
            command.stderr(File::create(path)?);
        }
        let mut child = spawn(command.stdin(Stdio::piped()))?;
        let stdin = child.stdin.take();
        Ok(Self { name, child, stdin })
    }

    fn until_ready<T>(&mut self, logs: &Logs, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            super::check_interrupt()?;
            let ended = self.ended()?;
            if ended.is_some() || started.elapsed() > START {
                let why = ended.unwrap_or_else(|| format!("{} was not ready after {START:?}", self.name));
                match logs {
                    Logs::Terminal => bail!("{why}"),
                    Logs::File(path) => bail!("{why}; its log, {}:\n{}", path.display(), tail(path)),
                }
            }
            thread::sleep(POLL);
        }
    }

    fn stop(&mut self) {
        drop(self.stdin.take());
        interrupt::end_group(&mut self.child);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(POLL);
        }
        // It had its time.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether nobody listens on a port of 127.0.0.1.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn tail(path: &PathBuf) -> String {
    let log = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines
        .get(lines.len().saturating_sub(40)..)
        .unwrap_or_default()
        .join("\n")
}
